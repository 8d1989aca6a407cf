namespace Ssl.Estimators;

/// <summary>How a number becomes a vector before the first layer.</summary>
public enum NumericEmbedding
{
    /// <summary>
    /// Sines and cosines of learned frequencies, then a linear layer that all columns share and ReLU: lets a network see sharp changes
    /// along a number.
    /// </summary>
    Periodic,

    /// <summary>
    /// Which of equally filled bins the number has passed, and how far it is in the present one, then a linear layer for each column: reads
    /// numbers as a tree does.
    /// </summary>
    PiecewiseLinear,
}
