namespace Ssl.Estimators.Tasks;

/// <summary>What a window says of answers.</summary>
/// <param name="First">Number of its first unit.</param>
/// <param name="Begins">Log probabilities that the answer begins at: none at all, the first unit, the second, …</param>
/// <param name="Ends">Log probabilities that it ends there.</param>
internal readonly record struct AnswerWindow(int First, float[] Begins, float[] Ends);

/// <summary>Finds the likeliest answers.</summary>
internal static class AnswerSearch
{
    /// <summary>
    /// The likeliest spans of units, and none as the span from -1 to -1, best first; of equal ones none, then what begins first, then what is shorter. A
    /// span is as likely as in the window that is surest of it, none as in the window that is least sure of it.
    /// </summary>
    /// <param name="windows">Of the context; without one there is no answer for sure.</param>
    /// <param name="count">Spans at most.</param>
    /// <param name="maximumWords">Units of a span at most.</param>
    public static IEnumerable<(int First, int Last, double Score)> Best(IReadOnlyList<AnswerWindow> windows, int count, int maximumWords)
    {
        var none = windows.Count == 0 ? 1 : windows.Min(window => Math.Exp(window.Begins[0] + (double)window.Ends[0]));
        var best = new Dictionary<(int First, int Last), double> { [(-1, -1)] = none };
        foreach (var window in windows)
        {
            foreach (var (score, begin, end) in Likeliest(window, count, maximumWords))
            {
                var span = (window.First + begin - 1, window.First + end - 1);
                best[span] = Math.Max(best.GetValueOrDefault(span), Math.Exp(score));
            }
        }
        return best.OrderByDescending(span => span.Value).ThenBy(span => span.Key.First).ThenBy(span => span.Key.Last).Take(count)
            .Select(span => (span.Key.First, span.Key.Last, span.Value));
    }

    // The likeliest spans of one window.
    private static IEnumerable<(double Score, int Begin, int End)> Likeliest(AnswerWindow window, int count, int maximumWords)
    {
        var queue = new PriorityQueue<(double Score, int Begin, int End), double>();
        for (var begin = 1; begin < window.Begins.Length; begin++)
        {
            for (var end = begin; end < Math.Min(window.Ends.Length, begin + (long)maximumWords); end++)
            {
                var score = window.Begins[begin] + (double)window.Ends[end];
                if (queue.Count < count)
                    queue.Enqueue((score, begin, end), score);
                else if (score > queue.Peek().Score)
                    queue.EnqueueDequeue((score, begin, end), score);
            }
        }
        return queue.UnorderedItems.Select(item => item.Element);
    }
}
