namespace Ssl.Estimators.Data;

/// <summary>How the numbers of a table column are brought to a common scale.</summary>
public enum NumericScaling
{
    /// <summary>
    /// By rank: the training data's quantiles become those of the standard normal distribution. Outliers and skewed columns do no harm;
    /// what lies outside the training range is cut to its ends.
    /// </summary>
    Quantile,

    /// <summary>Less the mean, divided by the standard deviation, cut at 10 of them. Keeps distances: for anomalies.</summary>
    ZScore,
}
