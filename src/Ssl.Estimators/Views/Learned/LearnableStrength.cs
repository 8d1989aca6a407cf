namespace Ssl.Estimators;

/// <summary>One strength of a <see cref="LearnableImageView"/> and the bounds that it never leaves.</summary>
/// <param name="Name">What progress and log call it, such as "brightness".</param>
/// <param name="Minimum">Least strength.</param>
/// <param name="Maximum">Largest strength; equal to the least one for a strength that stays.</param>
public readonly record struct LearnableStrength(string Name, double Minimum, double Maximum)
{
    /// <summary>Where learning starts: the middle of the bounds.</summary>
    public double Initial => (Minimum + Maximum) / 2;
}
