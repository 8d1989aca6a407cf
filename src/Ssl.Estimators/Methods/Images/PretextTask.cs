using Ssl.Estimators.Distributed;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>What methods that predict a made-up class share.</summary>
internal static class PretextTask
{
    /// <summary>Cross entropy, with the share told right as a term.</summary>
    /// <param name="scores">[N, classes].</param>
    /// <param name="classes">Int64 [N].</param>
    /// <param name="embeddings">For the collapse watch.</param>
    public static StepLoss Classify(Tensor scores, Tensor classes, Tensor embeddings)
    {
        var loss = Ranks.Mean(nn.functional.cross_entropy(scores, classes, reduction: nn.Reduction.None));
        var accuracy = scores.detach().argmax(1).eq(classes).to(ScalarType.Float32).mean();
        return new StepLoss(loss, [("accuracy", accuracy)], embeddings.detach());
    }
}
