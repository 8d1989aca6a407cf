using System.Globalization;

namespace Ssl.Estimators.Reporting;

/// <summary>Maps values to places along an axis, with round numbers to mark.</summary>
internal sealed class Scale
{
    private readonly double _from, _to;

    /// <param name="minimum">The least value shown.</param>
    /// <param name="maximum">The largest one; equal to the least, both are moved apart.</param>
    /// <param name="from">Where the least round number lies, in pixels.</param>
    /// <param name="to">Where the largest one lies.</param>
    /// <param name="marks">About how many numbers to mark.</param>
    /// <param name="endsAtMarks">Whether it ends at round numbers, not at the values that are shown.</param>
    /// <param name="isWhole">Whether there is nothing between two whole numbers.</param>
    public Scale(double minimum, double maximum, double from, double to, int marks = 5, bool endsAtMarks = true, bool isWhole = false)
    {
        (_from, _to) = (from, to);
        if (maximum <= minimum)
        {
            var margin = minimum == 0 ? 1 : Math.Abs(minimum) / 10;
            (minimum, maximum) = (minimum - margin, maximum + margin);
        }
        var step = Math.Max(Step((maximum - minimum) / marks), isWhole ? 1 : 0);
        var (first, last) = endsAtMarks ? (Math.Floor(minimum / step + 1e-9), Math.Ceiling(maximum / step - 1e-9))
            : (Math.Ceiling(minimum / step - 1e-9), Math.Floor(maximum / step + 1e-9));
        (Minimum, Maximum) = endsAtMarks ? (first * step, last * step) : (minimum, maximum);
        var decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step) + 1e-9));
        Marks = [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => (first + i) * step)
            .Select(value => (value, Text(value, decimals)))];
    }

    /// <summary>Where it begins.</summary>
    public double Minimum { get; }

    /// <summary>Where it ends.</summary>
    public double Maximum { get; }

    /// <summary>The round numbers, and how they are written.</summary>
    public IReadOnlyList<(double Value, string Text)> Marks { get; }

    /// <summary>Where a value lies.</summary>
    public double At(double value) => _from + (value - Minimum) / (Maximum - Minimum) * (_to - _from);

    // 1, 2 or 5 times a power of ten.
    private static double Step(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }

    private static string Text(double value, int decimals) => decimals > 6 || Math.Abs(value) >= 1e7
        ? value.ToString("0.#e0", CultureInfo.InvariantCulture)
        : Math.Round(value, decimals).ToString($"#,##0.{new string('0', decimals)}", CultureInfo.InvariantCulture);
}
