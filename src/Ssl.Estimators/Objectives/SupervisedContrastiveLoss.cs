using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Every vector shall find the others of its class among all others of the batch.</summary>
/// <remarks>
/// Khosla et al., "Supervised Contrastive Learning", 2020 (arXiv:2004.11362), the form with the mean over the positives outside of the
/// logarithm. A vector is never compared with itself; one without another of its class is a negative only. Two vectors a class and no
/// class twice: <see cref="NtXentLoss"/>.
/// </remarks>
public static class SupervisedContrastiveLoss
{
    /// <summary>The mean loss over the vectors that have another of their class.</summary>
    /// <param name="embeddings">[N, D]; normalized here.</param>
    /// <param name="labels">Their classes, [N]; equal numbers are the same class.</param>
    /// <param name="temperature">Divides the cosine similarities. Greater than 0.</param>
    /// <returns>A scalar, at least 0; 0 where no two vectors are of a class.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] and [N].</exception>
    /// <exception cref="ArgumentOutOfRangeException">The temperature is not greater than 0.</exception>
    public static Tensor Compute(Tensor embeddings, Tensor labels, double temperature = 0.1)
    {
        Contrastive.Pairs(embeddings, embeddings, temperature);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.dim() != 1 || labels.shape[0] != embeddings.shape[0])
            throw new ArgumentException($"There must be one label a vector, got {Contrastive.Shape(labels)} for {Contrastive.Shape(embeddings)}.", nameof(labels));
        using var scope = NewDisposeScope();
        (embeddings, labels) = (Ranks.Gather(embeddings), Ranks.Gather(labels));
        var z = Contrastive.Normalize(embeddings);
        var self = eye(z.shape[0], dtype: ScalarType.Bool, device: z.device);
        var others = z.mm(z.t()).div(Number(temperature)).masked_fill(self, Number(double.NegativeInfinity));       // [N, N]
        var logProbabilities = others.log_softmax(1).masked_fill(self, Number(0.0));
        var positives = labels.unsqueeze(1).eq(labels.unsqueeze(0)).logical_and(self.logical_not()).to(ScalarType.Float32);
        var count = positives.sum(dim: 1L);                                                                      // [N]
        var mean = logProbabilities.mul(positives).sum(dim: 1L).div(count.clamp_min(Number(1.0)));
        return mean.sum().neg().div(count.gt(Number(0.0)).sum().clamp_min(Number(1L))).MoveToOuterDisposeScope();
    }
}
