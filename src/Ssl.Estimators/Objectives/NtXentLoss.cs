using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// Normalized temperature-scaled cross entropy over two views: each of the 2 N vectors shall find its partner among the 2 N - 1 others.
/// </summary>
/// <remarks>
/// Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020 (arXiv:2002.05709). A vector is never
/// compared with itself. Equal embeddings give log(2 N - 1). Related: <see cref="InfoNceLoss"/> compares across the sides only.
/// </remarks>
public static class NtXentLoss
{
    /// <summary>The mean loss over all 2 N vectors.</summary>
    /// <param name="first">View one, [N, D]; normalized here.</param>
    /// <param name="second">View two, [N, D]; row i shows the same sample as row i of <paramref name="first"/>.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>A scalar, at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not greater than 0.</exception>
    public static Tensor Compute(Tensor first, Tensor second, double temperature = 0.5)
    {
        Contrastive.Pairs(first, second, temperature);
        using var scope = NewDisposeScope();
        (first, second) = Ranks.Gather(first, second);
        long n = first.shape[0];
        var z = Contrastive.Normalize(cat([first, second], 0));                           // [2N, D]
        var similarities = z.mm(z.t()).div(Number(temperature));                                            // [2N, 2N]
        var self = eye(2 * n, dtype: ScalarType.Bool, device: z.device);
        var others = similarities.masked_fill(self, Number(double.NegativeInfinity));               // without the vector itself
        var partner = similarities.diagonal(n, 0, 1);                                               // [N], the same for both views
        return (others.logsumexp(1).mean() - partner.mean()).MoveToOuterDisposeScope();
    }
}
