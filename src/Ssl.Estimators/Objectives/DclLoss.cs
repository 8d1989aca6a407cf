using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Decoupled contrastive loss: NT-Xent without the positive pair in the denominator, which helps small batches.</summary>
/// <remarks>
/// Yeh et al., "Decoupled Contrastive Learning", 2022 (arXiv:2110.06848). With a weighting (DCLW) easy positives count less: the weight
/// is 2 - N softmax(similarity / sigma) over the pairs of the batch. Can be negative. Equal embeddings give log(2 N - 2).
/// </remarks>
public static class DclLoss
{
    /// <summary>The mean loss over all 2 N vectors.</summary>
    /// <param name="first">View one, [N, D] with N at least 2; normalized here.</param>
    /// <param name="second">View two, [N, D]; row i shows the same sample as row i of <paramref name="first"/>.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <param name="sigma">Divides the similarities in the weight of the positives; <see langword="null"/> for the weight 1. Greater than
    /// 0.</param>
    /// <returns>A scalar.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice, or there is a single pair: it has no negatives.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not greater than 0.</exception>
    public static Tensor Compute(Tensor first, Tensor second, double temperature = 0.1, double? sigma = null)
    {
        Contrastive.Pairs(first, second, temperature);
        using var scope = NewDisposeScope();
        (first, second) = Ranks.Gather(first, second);
        long n = first.shape[0];
        if (n < 2)
            throw new ArgumentException("The decoupled loss needs at least 2 pairs, got 1: a single pair has no negatives.", nameof(first));
        var z = Contrastive.Normalize(cat([first, second], 0));                                     // [2N, D]
        var cosines = z.mm(z.t());                                                                  // [2N, 2N]
        var partner = cosines.diagonal(n, 0, 1);                                                    // [N], the same for both views
        var blocked = eye(n, dtype: ScalarType.Bool, device: z.device).repeat(2, 2);                // itself and its partner
        var negatives = cosines.div(Number(temperature)).masked_fill(blocked, Number(double.NegativeInfinity));
        var weights = sigma is { } s ? partner.detach().div(Number(s)).softmax(0).mul(Number(-n))
            .add(Number(2), One) : partner.detach().ones_like();
        return (negatives.logsumexp(1).mean() - partner.mul(weights).mean().div(Number(temperature))).MoveToOuterDisposeScope();
    }
}
