using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Squared error of one output against the standardized label, so that the learning rate does not depend on its unit.</summary>
internal sealed class Regression : FineTuningMethod
{
    private readonly double _mean;
    private readonly double _deviation;

    /// <summary>The method.</summary>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">With one output.</param>
    /// <param name="tuning">Which weights of the encoder change.</param>
    /// <param name="mean">Mean of the training labels.</param>
    /// <param name="deviation">Their standard deviation. Greater than 0.</param>
    public Regression(Encoder encoder, PredictionHead head, EncoderTuning tuning, double mean, double deviation)
        : base(nameof(Regression), encoder, head, tuning)
        => (_mean, _deviation) = (mean, deviation);

    /// <inheritdoc/>
    protected override StepLoss Loss(Tensor logits, Tensor labels)
    {
        // Scaled before it is narrowed: in Single, large labels that differ little would be the same.
        var target = labels.to(ScalarType.Float64).sub(Number(_mean)).div(Number(_deviation)).to(ScalarType.Float32);        // [N]
        var loss = logits.squeeze(1).sub(target).pow(Number(2)).mean();
        return new StepLoss(loss, [("rmse", loss.detach().sqrt().mul(Number(_deviation)))]);
    }
}
