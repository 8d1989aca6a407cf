using System.Globalization;

namespace Ssl.Estimators.Data;

/// <summary>Says where a few outliers make a standard deviation so large that it presses all other numbers together.</summary>
internal static class Outliers
{
    // Skewed columns have up to some 5 (exponential, log-normal); there the others are still well apart.
    private const double LeastRatio = 10;

    private const int NamedColumns = 10;

    /// <summary>Name and figures of a column whose deviation comes from outliers; null for others.</summary>
    /// <param name="moments">Of its numbers.</param>
    /// <param name="sorted">Some of them, sorted.</param>
    /// <param name="name">What to call it.</param>
    public static string? Find(NumberMoments moments, ReadOnlySpan<double> sorted, string name)
        => NumberScale.RobustDeviation(sorted) is > 0 and var robust && moments.Deviation / robust is > LeastRatio and var ratio
            ? string.Create(CultureInfo.InvariantCulture, $"{name} (from {moments.Minimum:G4} to {moments.Maximum:G4}, {ratio:N0} times)") : null;

    /// <summary>One sentence for all that was found; null for nothing.</summary>
    public static string? Describe(IReadOnlyList<string> found)
        => found.Count == 0 ? null : "A few outliers make the standard deviation many times as large as the middle half of the numbers says, and "
            + $"press all others together: {string.Join(", ", found.Take(NamedColumns))}"
            + (found.Count > NamedColumns ? $" and {found.Count - NamedColumns} more" : "")
            + ". Set NumericScaling to Robust, which divides by the interquartile range.";
}
