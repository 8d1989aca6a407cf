using System.Runtime.InteropServices;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>What a head says of every token of many windows.</summary>
internal static class TokenScores
{
    /// <summary>Computes the windows of texts, those of similar length together.</summary>
    /// <param name="parts">Encoder and head; to be used while their life lasts.</param>
    /// <param name="texts">Cut for the encoder.</param>
    /// <returns>Of each text its windows, and of a window the head's outputs, token after token.</returns>
    public static float[][][] Compute(HeadedEncoder parts, IReadOnlyList<WindowedText> texts)
    {
        var tokens = new TokenRows(((TextRowFormat)parts.Encoder.Format).Tokenizer.Vocabulary.PaddingId);
        foreach (var text in texts)
        {
            for (var window = 0; window < text.Windows.Count; window++)
                tokens.Add(text.Ids(window));
        }
        var scores = Compute(parts, tokens);
        var first = 0;
        return [.. texts.Select(text => scores[first..(first += text.Windows.Count)])];
    }

    private static float[][] Compute(HeadedEncoder parts, TokenRows windows)
    {
        var scores = new float[windows.Count][];
        if (windows.Count == 0)
            return scores;
        var (encoder, outputs) = ((TextEncoder)parts.Encoder.Network, parts.Head.Outputs);
        using var noGrad = no_grad();
        var groups = LengthGroups.OfTokens(windows.Count, windows.Length, TextRows.TokensAtOnce(parts.Device));
        for (var group = 0; group < groups.Count; group++)
        {
            using var scope = NewDisposeScope();
            using var batch = windows.ToBatch(groups[group]);
            using var moved = batch.To(parts.Device);
            var computed = parts.Head.call(encoder.EncodeTokens(moved)).cpu().contiguous();         // [windows, L, outputs]
            var numbers = MemoryMarshal.Cast<byte, float>(computed.bytes);
            var (row, longest) = (0, (int)computed.shape[1] * outputs);
            foreach (var window in groups[group])
                scores[window] = numbers.Slice(row++ * longest, windows.Length(window) * outputs).ToArray();
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
