namespace Ssl.Estimators;

/// <summary>What makes a row an anomaly.</summary>
public enum AnomalyMethod
{
    /// <summary>
    /// It is far from its nearest rows: the mean of 1 - cosine over some neighbors, from 0 to 2, 0 for a row with enough copies. Finds what is
    /// unlike everything, also where the ordinary rows lie in several groups; says little where anomalies are among the rows that it is fitted on, and of
    /// embeddings whose lengths tell something. A zero vector has no direction: it is left out in Fit and has no score.
    /// </summary>
    NeighborDistance,

    /// <summary>
    /// It is far from the mean, measured by how the ordinary rows scatter: the Mahalanobis distance, from 0, with the covariance shrunk as
    /// Ledoit and Wolf do. Quick, and right where the ordinary rows lie in one group. At least two different rows.
    /// </summary>
    Mahalanobis,

    /// <summary>
    /// The encoder rebuilds it badly: the error of its own pretraining task, from 0. Only encoders whose method rebuilds rows have one; the
    /// row itself is read, not its embedding.
    /// </summary>
    ReconstructionError,
}
