using TorchSharp;
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
/// of the comparison between series and that between timestamps together 1. N series, T timestamps, D the dimension.
/// </para>
/// </remarks>
public static class HierarchicalContrastiveLoss
{
    /// <summary>The loss.</summary>
    /// <param name="first">One encoding, [N, T, D].</param>
    /// <param name="second">The other one, [N, T, D].</param>
    /// <param name="instanceWeight">Weight of the comparison between series, from 0 to 1; the rest is that between timestamps.</param>
    /// <returns>A scalar; 0 for a single series of a single timestamp.</returns>
    /// <exception cref="ArgumentException">The shapes differ or are not of three dimensions.</exception>
    public static Tensor Compute(Tensor first, Tensor second, double instanceWeight = 0.5)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.dim() != 3 || !first.shape.SequenceEqual(second.shape))
        {
            throw new ArgumentException($"Both must be [N, T, D], got [{string.Join(", ", first.shape)}] and "
                + $"[{string.Join(", ", second.shape)}].", nameof(second));
        }
        using var scope = NewDisposeScope();
        var total = zeros(1, dtype: first.dtype, device: first.device).squeeze();
        int scales = 0;
        while (true)
        {
            if (instanceWeight > 0)
                total = total + BetweenRows(first.transpose(0, 1), second.transpose(0, 1)) * instanceWeight;
            if (instanceWeight < 1 && first.shape[1] > 1)
                total = total + BetweenRows(first, second) * (1 - instanceWeight);
            scales++;
            if (first.shape[1] == 1)
                return (total / scales).MoveToOuterDisposeScope();
            (first, second) = (Halved(first), Halved(second));
        }
    }

    // In each of B groups, row i of one side and row i of the other attract each other among all 2M rows: [B, M, D] twice to a scalar.
    private static Tensor BetweenRows(Tensor first, Tensor second)
    {
        long rows = first.shape[1];
        if (rows == 1)
            return zeros(1, dtype: first.dtype, device: first.device).squeeze();
        using var scope = NewDisposeScope();
        var all = cat([first, second], 1);                                                          // [B, 2M, D]
        var similarities = all.matmul(all.transpose(1, 2));                                         // [B, 2M, 2M]
        var self = eye(2 * rows, dtype: ScalarType.Bool, device: all.device);
        var shares = nn.functional.log_softmax(similarities.masked_fill(self, float.NegativeInfinity), -1);
        // The partner of row i stands M places further on, and the other way round.
        var forward = shares.narrow(1, 0, rows).narrow(2, rows, rows).diagonal(dim1: 1, dim2: 2);   // [B, M]
        var backward = shares.narrow(1, rows, rows).narrow(2, 0, rows).diagonal(dim1: 1, dim2: 2);
        return ((forward.mean() + backward.mean()) / -2).MoveToOuterDisposeScope();
    }

    // The larger of two neighbours; an odd one at the end is left out, as in the authors' code.
    private static Tensor Halved(Tensor steps)
    {
        long half = steps.shape[1] / 2;
        return steps.narrow(1, 0, 2 * half).reshape(steps.shape[0], half, 2, steps.shape[2]).amax(2);
    }
}
