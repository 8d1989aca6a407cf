using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// TS2Vec's loss: two encodings of the same stretch of a series agree at every timestamp, against the other series of the batch and against
/// the other timestamps, and again on every coarser scale.
/// </summary>
/// <remarks>
/// <para>
/// Yue et al., "TS2Vec: Towards Universal Representation of Time Series", 2022 (arXiv:2106.10466). Similarities are plain inner products,
/// without temperature. Scales halve by maximum pooling down to a single step; the loss is their mean, the weight
/// of the comparison between series and that between timestamps together 1. Deviation: padding behind the end of a series is left out,
/// where the authors' code compares it too. N series, T timestamps, D the dimension.
/// </para>
/// </remarks>
public static class HierarchicalContrastiveLoss
{
    /// <summary>The loss.</summary>
    /// <param name="first">One encoding, [N, T, D].</param>
    /// <param name="second">The other one, [N, T, D].</param>
    /// <param name="instanceWeight">Weight of the comparison between series, from 0 to 1; the rest is that between timestamps.</param>
    /// <param name="mask">Bool [N, T]: true inside the series; <see langword="null"/> where there is no padding.</param>
    /// <returns>A scalar; 0 for a single series of a single timestamp.</returns>
    /// <exception cref="ArgumentException">The shapes differ or are not of three dimensions, or the mask's is another.</exception>
    public static Tensor Compute(Tensor first, Tensor second, double instanceWeight = 0.5, Tensor? mask = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.dim() != 3 || !first.shape.SequenceEqual(second.shape))
        {
            throw new ArgumentException($"Both must be [N, T, D], got [{string.Join(", ", first.shape)}] and "
                + $"[{string.Join(", ", second.shape)}].", nameof(second));
        }
        if (mask is not null && !mask.shape.SequenceEqual(first.shape[..2]))
        {
            throw new ArgumentException($"The mask must be [N, T], [{first.shape[0]}, {first.shape[1]}], got [{string.Join(", ", mask.shape)}].",
                nameof(mask));
        }
        using var scope = NewDisposeScope();
        var total = zeros(1, dtype: first.dtype, device: first.device).squeeze();
        int scales = 0;
        while (true)
        {
            if (instanceWeight > 0)
                total = total.add(BetweenSeries(first, second, mask) * Number(instanceWeight), One);
            if (instanceWeight < 1 && first.shape[1] > 1)
                total = total.add(BetweenRows(first, second, mask, isOwn: true) * Number(1 - instanceWeight), One);
            scales++;
            if (first.shape[1] == 1)
                return (total / Number(scales)).MoveToOuterDisposeScope();
            (first, second, mask) = (Halved(first, mask), Halved(second, mask), mask is null ? null : Pairs(mask).any(2));
        }
    }

    // At each timestamp, among the series of all processes.
    private static Tensor BetweenSeries(Tensor first, Tensor second, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        (first, second, mask) = (Ranks.Gather(first), Ranks.Gather(second), mask is null ? null : Ranks.Gather(mask));
        return BetweenRows(first.transpose(0, 1), second.transpose(0, 1), mask?.transpose(0, 1), isOwn: false).MoveToOuterDisposeScope();
    }

    // In each of B groups, row i of one side and row i of the other attract each other among all 2M rows: [B, M, D] twice to a scalar.
    private static Tensor BetweenRows(Tensor first, Tensor second, Tensor? mask, bool isOwn)
    {
        long rows = first.shape[1];
        if (rows == 1)
            return zeros(1, dtype: first.dtype, device: first.device).squeeze();
        using var scope = NewDisposeScope();
        var all = cat([first, second], 1);                                                          // [B, 2M, D]
        var similarities = all.bmm(all.transpose(1, 2));                                            // [B, 2M, 2M]
        var excluded = eye(2 * rows, dtype: ScalarType.Bool, device: all.device);                   // itself
        if (mask is not null)
        {
            // What lies inside is not compared with padding; rows of padding, which do not count, keep finite shares.
            var inside = cat([mask, mask], 1);                                                      // [B, 2M]
            excluded = excluded.logical_or(inside.unsqueeze(2).logical_and(inside.unsqueeze(1).logical_not()));
        }
        var shares = nn.functional.log_softmax(similarities.masked_fill(excluded, Number(float.NegativeInfinity)), -1);
        // The partner of row i stands M places further on, and the other way round.
        var forward = shares.narrow(1, 0, rows).narrow(2, rows, rows).diagonal(dim1: 1, dim2: 2);   // [B, M]
        var backward = shares.narrow(1, rows, rows).narrow(2, 0, rows).diagonal(dim1: 1, dim2: 2);
        var both = forward.add(backward, One) / Number(-2);
        if (mask is null)
            return (isOwn ? Ranks.Mean(both) : both.mean()).MoveToOuterDisposeScope();
        var counted = mask.to(both.dtype);
        var count = isOwn ? Ranks.Average(counted.sum()) : counted.sum();
        return ((both * counted).sum() / count.clamp_min(Number(1))).MoveToOuterDisposeScope();
    }

    // The larger of two neighbors inside the series; an odd one at the end is left out, as in the authors' code.
    private static Tensor Halved(Tensor steps, Tensor? mask)
    {
        if (mask is null)
            return Pairs(steps).amax(2);
        // Two places of padding make one, whose value does not count but must be finite.
        var pairs = Pairs(steps.masked_fill(mask.logical_not().unsqueeze(-1), Number(float.NegativeInfinity))).amax(2);
        return pairs.masked_fill(Pairs(mask).any(2).logical_not().unsqueeze(-1), Number(0));
    }

    // [N, T, ...] to [N, T / 2, 2, ...].
    private static Tensor Pairs(Tensor steps)
    {
        long half = steps.shape[1] / 2;
        return steps.narrow(1, 0, 2 * half).reshape([steps.shape[0], half, 2, .. steps.shape[2..]]);
    }
}
