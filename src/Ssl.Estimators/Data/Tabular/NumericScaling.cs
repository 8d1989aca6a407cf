namespace Ssl.Estimators;

/// <summary>How the numbers of a column, or the values of a channel of time series, are brought to a common scale.</summary>
public enum NumericScaling
{
    /// <summary>
    /// By rank: the training data's quantiles become those of the standard normal distribution. Outliers and skewed columns do no harm;
    /// what lies outside the training range is cut to its ends.
    /// </summary>
    Quantile,

    /// <summary>
    /// Less the mean, divided by the standard deviation; table columns are cut at 10 of them. Keeps distances: for anomalies. One outlier
    /// far away makes the deviation large and all other numbers nearly the same: Fit then says so.
    /// </summary>
    ZScore,

    /// <summary>
    /// Less the median, divided by the interquartile range (over 1.349, so that a normal distribution has deviation 1), cut at 10. Keeps
    /// distances among ordinary numbers, whatever the outliers. Where half of the numbers are the same, the range of the middle 80, 90 or
    /// 98 of 100 stands for it, and the standard deviation where even that is 0.
    /// </summary>
    Robust,
}
