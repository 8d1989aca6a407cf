using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>InfoNCE with its negatives from a queue: each query shall find its key among the key and all vectors of the queue.</summary>
/// <remarks>He et al., "Momentum Contrast", 2020 (arXiv:1911.05722). Equal vectors everywhere give log(K + 1) for K in the queue.</remarks>
public static class QueueContrastiveLoss
{
    /// <summary>The mean loss over all queries.</summary>
    /// <param name="queries">[N, D]; normalized here.</param>
    /// <param name="keys">[N, D]; row i belongs to row i of <paramref name="queries"/>; normalized here.</param>
    /// <param name="queue">[K, D], normalized already.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>A scalar, at least 0.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice and [K, D].</exception>
    public static Tensor Compute(Tensor queries, Tensor keys, Tensor queue, double temperature = 0.1)
    {
        Contrastive.Pairs(queries, keys, temperature);
        ArgumentNullException.ThrowIfNull(queue);
        if (queue.dim() != 2 || queue.shape[1] != queries.shape[1])
            throw new ArgumentException($"The queue must be [K, {queries.shape[1]}], got {Contrastive.Shape(queue)}.", nameof(queue));
        using var scope = NewDisposeScope();
        var q = Contrastive.Normalize(queries);                                                     // [N, D]
        var positive = q.mul(Contrastive.Normalize(keys)).sum(1, keepdim: true);                    // [N, 1]
        var logits = cat([positive, q.mm(queue.t())], 1).div(Number(temperature));                  // [N, 1 + K]
        return Ranks.Mean(logits.logsumexp(1) - logits.select(1, 0)).MoveToOuterDisposeScope();
    }
}
