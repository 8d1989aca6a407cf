using Ssl.Estimators.Distributed;
using static TorchSharp.torch;

namespace Ssl.Estimators.Objectives;

/// <summary>TS-TCC's temporal contrast (arXiv:2106.14112, equation 1): what is predicted of a series finds its own future among those of the batch.</summary>
internal static class FutureContrastLoss
{
    /// <summary>For every section the cross entropy of the N x N inner products, with the own series as target; the mean.</summary>
    /// <param name="predicted">[N, K, D].</param>
    /// <param name="actual">[N, K, D].</param>
    /// <returns>A scalar.</returns>
    public static Tensor Compute(Tensor predicted, Tensor actual)
    {
        using var scope = NewDisposeScope();
        (predicted, actual) = (Ranks.Gather(predicted), Ranks.Gather(actual));
        var scores = actual.transpose(0, 1).bmm(predicted.permute(1, 2, 0));                        // [K, N, N]
        return nn.functional.log_softmax(scores, 1).diagonal(0, 1, 2).mean().neg().MoveToOuterDisposeScope();
    }
}
