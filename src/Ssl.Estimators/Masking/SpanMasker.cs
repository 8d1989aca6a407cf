using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Masking;

/// <summary>Chooses stretches of steps of a series to hide, others for each series: a single step could be told from its neighbors.</summary>
/// <remarks>
/// As wav2vec 2.0 has it (Baevski et al., 2020, arXiv:2006.11477, section 3.1): a share of the steps, drawn without repetition, begin a span; spans
/// may overlap. Deviations: a span is at most half a series long, and of two or more steps at least one stays visible.
/// </remarks>
internal static class SpanMasker
{
    /// <summary>Hides spans of each series.</summary>
    /// <param name="inside">Bool [N, S]: the steps inside the series, true up to its end.</param>
    /// <param name="startShare">Share of the steps that begin a span; rounded, but at least one of a series. Between 0 and 1.</param>
    /// <param name="length">Steps of a span. At least 1.</param>
    /// <param name="generator">On the device of <paramref name="inside"/>.</param>
    /// <returns>Bool [N, S]: the hidden ones; false wherever <paramref name="inside"/> is.</returns>
    public static Tensor Draw(Tensor inside, double startShare, int length, Generator generator)
    {
        new OptionFaults().Between(startShare, 0, 1).AtLeast(length, 1).ThrowIfAny();
        using var scope = NewDisposeScope();
        var draws = Draws.Uniform(inside.shape, inside.device, generator).masked_fill_(inside.logical_not(), Number(2));
        var ranks = draws.argsort(1).argsort(1);                                                    // [N, S], padding last
        var counts = inside.sum(1, keepdim: true);                                                  // [N, 1]
        var starts = ranks.lt(counts.mul(Number(startShare)).round().clamp_min(Number(1.0))).logical_and(inside);
        // Hidden is a step where a span begins at it or at one of the few before it: a difference of running sums.
        var sums = nn.functional.pad(starts.cumsum(1), [1L, 0L]);                                   // [N, S + 1]
        var behind = arange(Number(1), Number(inside.shape[1] + 1), One, dtype: ScalarType.Int64, device: inside.device).unsqueeze(0); // [1, S]
        var longest = counts.div(Number(2), RoundingMode.floor).clamp(Number(1), Number(length));   // [N, 1]
        var begun = sums.narrow(1, 1, inside.shape[1]) - sums.gather(1, behind.sub(longest).clamp_min(Number(0)));
        var hidden = begun.gt(Number(0)).logical_and(inside);
        var isWhole = hidden.sum(1, keepdim: true).eq(counts).logical_and(counts.gt(One));
        hidden = hidden.logical_and(isWhole.logical_and(ranks.eq(counts.sub(One))).logical_not());
        return hidden.MoveToOuterDisposeScope();
    }
}
