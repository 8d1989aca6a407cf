using System.Globalization;
using Microsoft.ML;

namespace Ssl.Estimators.Rows;

/// <summary>Finds from the images of a column of numbers what a white pixel is.</summary>
internal static class PixelRange
{
    // Pixels scaled to 1; 8, 10, 12, 14 and 16 bits.
    private static readonly float[] s_ranges = [1, 255, 1023, 4095, 16383, 65535];

    // Resampling overshoots at edges by so much of the range.
    private const double Overshoot = 0.05;

    // The least share of a range that images which have it fill.
    private const double LeastFilled = 0.1;

    /// <summary>The value of a white pixel: the narrowest usual range that holds all pixels.</summary>
    /// <param name="data">The images; read once.</param>
    /// <param name="column">A column of vectors of numbers.</param>
    /// <param name="tell">Told what was found.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <exception cref="InvalidOperationException">The pixels have no usual range.</exception>
    public static float Find(IDataView data, string column, Action<string> tell, CancellationToken cancellationToken)
    {
        var (lowest, highest, whole) = (double.PositiveInfinity, double.NegativeInfinity, true);
        foreach (var row in RowReader.All(data, [column], cancellationToken))
        {
            foreach (var value in row.Numbers.Span)
            {
                if (!double.IsFinite(value))
                    continue;
                (lowest, highest) = (Math.Min(lowest, value), Math.Max(highest, value));
                whole &= value == Math.Floor(value);
            }
        }
        // Nothing but black, or nothing at all, has any range.
        if (!(highest > 0) && !(lowest < 0))
            return s_ranges[1];
        var room = whole ? 1 : 1 + Overshoot;
        var found = s_ranges.FirstOrDefault(range => highest <= range * room);
        if (found == 0 || highest < LeastFilled * found && !whole || lowest < (whole ? 0 : -Overshoot * found))
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"Pixels in column '{column}' go from {lowest:G5} to {highest:G5}, ")
                + $"which is no usual range of pixels: 0 to {string.Join(", ", s_ranges.Select(range => range.ToString(CultureInfo.InvariantCulture)))}. Set "
                + "PixelMaximum to the value of a white pixel; black is 0, and what lies below is cut off: undo a normalization first.");
        }
        tell(string.Create(CultureInfo.InvariantCulture, $"pixels in column '{column}' go from {lowest:G5} to {highest:G5}: white is {found} (PixelMaximum says otherwise)"));
        return found;
    }
}
