using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>What a head says of every token of many windows.</summary>
internal static class TokenScores
{
    // As for embeddings: enough that reading the weights does not count, few enough to stay in a core's cache.
    private const int TokensAtOnce = 1024, TokensAtOnceOnGpu = 1 << 14;

    /// <summary>Computes windows, those of similar length together.</summary>
    /// <param name="parts">Encoder and head; to be used while their life lasts.</param>
    /// <param name="windows">The tokens of each.</param>
    /// <returns>Of each window the head's outputs, token after token.</returns>
    public static float[][] Compute(HeadedEncoder parts, IReadOnlyList<int[]> windows)
    {
        var scores = new float[windows.Count][];
        var (encoder, outputs) = ((TextEncoder)parts.Encoder.Network, parts.Head.Outputs);
        var most = parts.Device.type == DeviceType.CPU ? TokensAtOnce : TokensAtOnceOnGpu;
        int[] order = [.. Enumerable.Range(0, windows.Count).OrderBy(window => windows[window].Length)];
        using var noGrad = no_grad();
        for (var first = 0; first < order.Length;)
        {
            var end = first + 1;
            while (end < order.Length && (end + 1 - first) * (long)windows[order[end]].Length <= most)
                end++;
            using var scope = NewDisposeScope();
            var tokens = new TokenRows(((TextRowFormat)parts.Encoder.Format).Tokenizer.Vocabulary.PaddingId);
            foreach (var window in order.AsSpan(first, end - first))
                tokens.Add(windows[window]);
            using var batch = tokens.ToBatch([.. Enumerable.Range(0, tokens.Count)]);
            using var moved = batch.To(parts.Device);
            var computed = parts.Head.call(encoder.EncodeTokens(moved)).cpu().contiguous();         // [windows, L, outputs]
            var numbers = MemoryMarshal.Cast<byte, float>(computed.bytes);
            var longest = (int)computed.shape[1];
            for (var i = first; i < end; i++)
                scores[order[i]] = numbers.Slice((i - first) * longest * outputs, windows[order[i]].Length * outputs).ToArray();
            first = end;
        }
        return scores;
    }

    /// <summary>Logarithms of probabilities, in place: x - log sum exp x.</summary>
    public static void LogSoftmax(Span<float> values)
    {
        var largest = float.NegativeInfinity;
        foreach (var value in values)
            largest = Math.Max(largest, value);
        var sum = 0.0;
        foreach (var value in values)
            sum += Math.Exp(value - largest);
        var norm = (float)(largest + Math.Log(sum));
        foreach (ref var value in values)
            value -= norm;
    }
}
