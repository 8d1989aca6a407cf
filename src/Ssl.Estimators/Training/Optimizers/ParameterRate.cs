namespace Ssl.Estimators.Training.Optimizers;

/// <summary>How fast a parameter learns.</summary>
/// <param name="Scale">Multiplies the learning rate of every step. Greater than 0.</param>
/// <param name="IsConstant">Whether it is the peak learning rate that is multiplied, in every step: no warm-up, no cosine.</param>
internal readonly record struct ParameterRate(double Scale, bool IsConstant = false)
{
    /// <summary>As fast as the schedule says.</summary>
    public static ParameterRate Plain => new(1);
}
