namespace Ssl.Estimators.Tasks;

/// <summary>Units of a text that are computed together.</summary>
/// <param name="First">Number of the first one.</param>
/// <param name="Count">How many, at least one.</param>
internal readonly record struct UnitWindow(int First, int Count)
{
    /// <summary>Number of the unit behind the last.</summary>
    public int End => First + Count;
}

/// <summary>Cuts texts that are longer than an encoder takes into windows that overlap.</summary>
internal static class UnitWindows
{
    /// <summary>Largest share of a window that the next one may have, too: beyond it a window may have nothing new.</summary>
    public const double LargestOverlap = 0.75;

    /// <summary>Tokens that a unit may have: with <see cref="LargestOverlap"/>, every window then has something new.</summary>
    /// <param name="room">Tokens of a window.</param>
    public static int MostTokens(int room) => Math.Max(1, room / 4);

    /// <summary>The windows, in their order: each as long as fits.</summary>
    /// <param name="starts">Where the tokens of each unit begin, and their number at the end.</param>
    /// <param name="room">Tokens of a window.</param>
    /// <param name="overlap">Share of a window that the next one has at most, too. From 0 to <see cref="LargestOverlap"/>.</param>
    public static List<UnitWindow> Cut(IReadOnlyList<int> starts, int room, double overlap)
    {
        var (windows, units) = (new List<UnitWindow>(), starts.Count - 1);
        for (var first = 0; first < units;)
        {
            var end = first + 1;
            while (end < units && starts[end + 1] - starts[first] <= room)
                end++;
            windows.Add(new UnitWindow(first, end - first));
            if (end == units)
                break;
            var next = end;
            while (next - 1 > first && starts[end] - starts[next - 1] <= overlap * room && starts[end + 1] - starts[next - 1] <= room)
                next--;
            first = next;
        }
        return windows;
    }

    /// <summary>For each unit the window that tells its label: the one in which it stands farthest from a cut.</summary>
    /// <param name="windows">What <see cref="Cut"/> gave.</param>
    /// <param name="starts">Where the tokens of each unit begin, and their number at the end.</param>
    public static int[] Owners(IReadOnlyList<UnitWindow> windows, IReadOnlyList<int> starts)
    {
        var (owners, best) = (new int[starts.Count - 1], new int[starts.Count - 1]);
        Array.Fill(best, -1);
        for (var w = 0; w < windows.Count; w++)
        {
            var (first, end) = (windows[w].First, windows[w].End);
            for (var unit = first; unit < end; unit++)
            {
                // The text's own ends are no cuts.
                var before = first == 0 ? int.MaxValue : starts[unit] - starts[first];
                var after = end == owners.Length ? int.MaxValue : starts[end] - starts[unit + 1];
                if (Math.Min(before, after) > best[unit])
                    (owners[unit], best[unit]) = (w, Math.Min(before, after));
            }
        }
        return owners;
    }
}
