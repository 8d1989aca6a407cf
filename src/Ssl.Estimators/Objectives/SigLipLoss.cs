using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>
/// Every pair of an image and a text of the batch is a question of its own, whether they belong together: a sigmoid in place of a softmax over
/// the batch.
/// </summary>
/// <remarks>Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023 (arXiv:2303.15343): the sum over all pairs, divided by N.</remarks>
public static class SigLipLoss
{
    /// <summary>The loss of a batch.</summary>
    /// <param name="logits">[N, N]: cosine similarities, scaled and shifted; the partners are on the diagonal.</param>
    /// <returns>A scalar, at least 0.</returns>
    /// <exception cref="ArgumentException">The logits are not [N, N].</exception>
    public static Tensor FromLogits(Tensor logits)
    {
        Contrastive.Square(logits);
        using var scope = NewDisposeScope();
        // -log sigmoid(x) where they belong together, else -log sigmoid(-x) = -log sigmoid(x) + x.
        return nn.functional.logsigmoid(logits).sum().neg().add(logits.sum(), One).sub(logits.diagonal(0, 0, 1).sum())
            .div(Number(logits.shape[0])).MoveToOuterDisposeScope();
    }
}
