using Ssl.Estimators;

namespace Ssl.MLNet;

public sealed partial class SelfSupervisedCatalog
{
    /// <summary>
    /// Learns what ordinary rows look like and scores how strange others are; the columns <c>PredictedLabel</c> and <c>Score</c> are those
    /// of ML.NET's own detectors.
    /// </summary>
    /// <param name="featureColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="method">What makes a row an anomaly.</param>
    /// <param name="contaminationFraction">Share of the rows given to Fit that counts as anomalies. From 0 to less than 0.5.</param>
    /// <param name="numberOfNeighbors">Neighbors over which a distance is averaged, for <see cref="AnomalyMethod.NeighborDistance"/> only. At least
    /// 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range; all faults are named together.</exception>
    public AnomalyScoreEstimator AnomalyScore(
        string featureColumnName = AnomalyScoreEstimator.Defaults.FeatureColumnName,
        AnomalyMethod method = AnomalyScoreEstimator.Defaults.Method,
        double contaminationFraction = AnomalyScoreEstimator.Defaults.ContaminationFraction,
        int numberOfNeighbors = AnomalyScoreEstimator.Defaults.NumberOfNeighbors)
        => AnomalyScore(new AnomalyScoreEstimator.Options
        {
            FeatureColumnName = featureColumnName,
            Method = method,
            ContaminationFraction = contaminationFraction,
            NumberOfNeighbors = numberOfNeighbors,
        });

    /// <inheritdoc cref="AnomalyScore(string, AnomalyMethod, double, int)"/>
    /// <param name="options">All settings.</param>
    /// <exception cref="ObjectDisposedException">The encoder was disposed of.</exception>
    public AnomalyScoreEstimator AnomalyScore(AnomalyScoreEstimator.Options options) => new(_mlContext, options);
}
