namespace Ssl.Estimators.Training;

/// <summary>Linear warm-up, then half a cosine to 0 (Loshchilov and Hutter 2017, arXiv:1608.03983, without restarts).</summary>
/// <param name="peak">Learning rate at the end of the warm-up.</param>
/// <param name="warmupFraction">Share of the run that warms up, from 0 to less than 1.</param>
internal sealed class LearningRateSchedule(double peak, double warmupFraction)
{
    /// <summary>Learning rate at a share of the run.</summary>
    /// <param name="progress">
    /// Share of the run that is done, 0 to 1. The loop asks at the middle of a step ((step + 0.5) / steps), so that neither the
    /// first step nor the last is lost to a learning rate of 0.
    /// </param>
    public double At(double progress)
    {
        double share = Math.Clamp(progress, 0, 1);
        if (share < warmupFraction)
            return peak * share / warmupFraction;
        double annealed = (share - warmupFraction) / (1 - warmupFraction);
        return peak * 0.5 * (1 + Math.Cos(Math.PI * annealed));
    }
}
