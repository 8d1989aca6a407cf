using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>Negative cosine similarity of predictions and targets: SimSiam's loss, and BYOL's but for 2 + 2 x.</summary>
/// <remarks>Chen and He, 2021 (arXiv:2011.10566); Grill et al., 2020 (arXiv:2006.07733). The caller cuts the targets' gradient.</remarks>
public static class CosineLoss
{
    /// <summary>The mean over all rows.</summary>
    /// <param name="predictions">[N, D]; normalized here.</param>
    /// <param name="targets">[N, D]; normalized here.</param>
    /// <returns>A scalar from -1 (same directions) to 1.</returns>
    /// <exception cref="ArgumentException">The shapes are not [N, D] twice.</exception>
    public static Tensor Compute(Tensor predictions, Tensor targets)
    {
        Contrastive.Pairs(predictions, targets, 1);
        using var scope = NewDisposeScope();
        return Ranks.Mean(Contrastive.Normalize(predictions).mul(Contrastive.Normalize(targets)).sum(1)).neg().MoveToOuterDisposeScope();
    }
}
