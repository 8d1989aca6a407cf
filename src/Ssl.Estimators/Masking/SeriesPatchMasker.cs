using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Masking;

/// <summary>Chooses which patches of time series are hidden: the same share of every series, others for each.</summary>
internal static class SeriesPatchMasker
{
    /// <summary>Hides a share of each series' patches, rounded, but at least one; at least one of two or more stays visible.</summary>
    /// <param name="inside">Bool [N, S]: the patches inside the series.</param>
    /// <param name="ratio">Share of the patches that are hidden. Between 0 and 1.</param>
    /// <param name="generator">On the device of <paramref name="inside"/>.</param>
    /// <returns>Bool [N, S]: the hidden ones; false wherever <paramref name="inside"/> is.</returns>
    public static Tensor Draw(Tensor inside, double ratio, Generator generator)
    {
        new OptionFaults().Between(ratio, 0, 1).ThrowIfAny();
        using var scope = NewDisposeScope();
        var draws = Draws.Uniform(inside.shape, inside.device, generator).masked_fill_(inside.logical_not(), Number(2));
        var ranks = draws.argsort(1).argsort(1);                                                    // [N, S], padding last
        var counts = inside.sum(1, keepdim: true);                                                  // [N, 1]
        var hidden = counts.mul(Number(ratio)).round().to(ScalarType.Int64);
        hidden = maximum(minimum(hidden, counts - Number(1)), ones_like(hidden));
        return ranks.lt(hidden).logical_and(inside).MoveToOuterDisposeScope();
    }
}
