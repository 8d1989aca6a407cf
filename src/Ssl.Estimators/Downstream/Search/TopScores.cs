using System.Numerics;

namespace Ssl.Estimators.Downstream;

/// <summary>Keeps the largest scores of one query while block after block of them is scanned.</summary>
/// <remarks>
/// The smallest of the kept scores is a threshold that few others pass: whole vectors of them are compared at once and passed over. Rows
/// must come in rising order; then of equal scores the first rows are kept, in their order.
/// </remarks>
internal static class TopScores
{
    /// <summary>The value of a place that is not taken yet.</summary>
    public const float None = float.NegativeInfinity;

    /// <summary>Scans a block of scores.</summary>
    /// <param name="scores">Scores of consecutive rows.</param>
    /// <param name="firstRow">Number of the first of them.</param>
    /// <param name="best">The largest so far, falling; <see cref="None"/> where there are fewer.</param>
    /// <param name="rows">Their rows.</param>
    public static void Scan(ReadOnlySpan<float> scores, long firstRow, Span<float> best, Span<long> rows)
    {
        var width = Vector<float>.Count;
        var step = 4 * width;
        var i = 0;
        var threshold = new Vector<float>(best[^1]);
        for (; i <= scores.Length - step; i += step)
        {
            var part = scores.Slice(i, step);
            var low = Vector.Max(new Vector<float>(part), new Vector<float>(part[width..]));
            var high = Vector.Max(new Vector<float>(part[(2 * width)..]), new Vector<float>(part[(3 * width)..]));
            if (Vector.GreaterThanAny(Vector.Max(low, high), threshold))
            {
                ScanOneByOne(part, firstRow + i, best, rows);
                threshold = new Vector<float>(best[^1]);
            }
        }

        ScanOneByOne(scores[i..], firstRow + i, best, rows);
    }

    private static void ScanOneByOne(ReadOnlySpan<float> scores, long firstRow, Span<float> best, Span<long> rows)
    {
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] > best[^1])
                Insert(scores[i], firstRow + i, best, rows);
        }
    }

    // Behind its equals: they have smaller rows.
    private static void Insert(float score, long row, Span<float> best, Span<long> rows)
    {
        var (low, high) = (0, best.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (best[middle] >= score)
                low = middle + 1;
            else
                high = middle;
        }

        best[low..^1].CopyTo(best[(low + 1)..]);
        rows[low..^1].CopyTo(rows[(low + 1)..]);
        (best[low], rows[low]) = (score, row);
    }
}
