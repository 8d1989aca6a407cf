using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Even assignment of vectors to prototypes, by the Sinkhorn-Knopp algorithm.</summary>
/// <remarks>Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", 2020 (arXiv:2006.09882).</remarks>
public static class SinkhornAssignment
{
    /// <summary>Assignments in which every row sums to 1 and every prototype gets about as much as any other.</summary>
    /// <param name="scores">Similarities to the prototypes, [N, K].</param>
    /// <param name="epsilon">Softness: the smaller, the nearer to one prototype a row. Greater than 0.</param>
    /// <param name="iterations">Rounds of balancing. At least 1.</param>
    /// <returns>[N, K], without gradient; rows sum to 1.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range.</exception>
    public static Tensor Compute(Tensor scores, double epsilon = 0.05, int iterations = 3)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.dim() != 2 || scores.numel() == 0)
            throw new ArgumentException($"Scores must be [N, K], got {Contrastive.Shape(scores)}.", nameof(scores));
        new OptionFaults().Positive(epsilon).AtLeast(iterations, 1).ThrowIfAny();
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // In logarithms: the exponential of a similarity divided by a small epsilon would overflow.
        var log = Ranks.Gather(scores.detach()).div(Number(epsilon));                                       // [N, K]
        double perPrototype = Math.Log((double)log.shape[0] / log.shape[1]);
        for (int i = 0; i < iterations; i++)
        {
            log = (log - log.logsumexp(0, keepdim: true)).add(Number(perPrototype), One);                     // columns sum to N / K
            log = log - log.logsumexp(1, keepdim: true);                                            // rows sum to 1
        }
        return Ranks.Own(log.exp(), scores.shape[0]).MoveToOuterDisposeScope();
    }
}

/// <summary>Cross entropy between soft targets and predictions over prototypes: SwAV's and DINO's.</summary>
public static class SoftTargetLoss
{
    /// <summary>The mean over all rows.</summary>
    /// <param name="targets">[N, K], rows that sum to 1; no gradient flows into them.</param>
    /// <param name="scores">[N, K].</param>
    /// <param name="temperature">Divides the scores. Greater than 0.</param>
    /// <returns>A scalar, at least the entropy of the targets.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, K] twice.</exception>
    public static Tensor Compute(Tensor targets, Tensor scores, double temperature = 0.1)
    {
        Contrastive.Pairs(targets, scores, temperature);
        using var scope = NewDisposeScope();
        return Ranks.Mean(targets.detach().mul(scores.div(Number(temperature)).log_softmax(1)).sum(1)).neg().MoveToOuterDisposeScope();
    }
    /// <summary>The mean over all pairs of a target and a view other than its own.</summary>
    /// <param name="targets">[N, K] for each of the first views.</param>
    /// <param name="scores">[N, K] for each view, at least two.</param>
    /// <param name="temperature">Divides the scores. Greater than 0.</param>
    internal static Tensor OverOtherViews(IReadOnlyList<Tensor> targets, IReadOnlyList<Tensor> scores, double temperature)
    {
        using var scope = NewDisposeScope();
        Tensor? total = null;
        for (int target = 0; target < targets.Count; target++)
        {
            for (int view = 0; view < scores.Count; view++)
            {
                if (view == target)
                    continue;
                var term = Compute(targets[target], scores[view], temperature);
                total = total is null ? term : total.add(term, One);
            }
        }
        return (total! / Number(targets.Count * (scores.Count - 1))).MoveToOuterDisposeScope();
    }
}
