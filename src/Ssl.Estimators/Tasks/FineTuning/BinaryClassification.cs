using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Logistic loss of one output: its sign is the class, its sigmoid the probability.</summary>
internal sealed class BinaryClassification : FineTuningMethod
{
    private readonly double _labelSmoothing;
    private readonly (float Negative, float Positive)? _classWeights;

    /// <summary>The method.</summary>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">With one output.</param>
    /// <param name="tuning">Which weights of the encoder change.</param>
    /// <param name="labelSmoothing">Share of the target that is spread over both classes. From 0 to less than 1.</param>
    /// <param name="classWeights">Weights of a row's loss by its class; null for all equal.</param>
    public BinaryClassification(Encoder encoder, PredictionHead head, EncoderTuning tuning, double labelSmoothing = 0,
        (float Negative, float Positive)? classWeights = null) : base(nameof(BinaryClassification), encoder, head, tuning)
    {
        _labelSmoothing = labelSmoothing;
        _classWeights = classWeights;
    }

    /// <inheritdoc/>
    protected override StepLoss Loss(Tensor logits, Tensor labels)
    {
        labels = labels.to(ScalarType.Float32);                                                         // [N]
        var score = logits.squeeze(1);                                                                  // [N]
        var target = labels.mul(Number(1 - _labelSmoothing)).add(Number(_labelSmoothing / 2), One);      // [N]
        Tensor loss;
        if (_classWeights is var (negative, positive))
        {
            var weights = labels.mul(Number(positive - negative)).add(Number(negative), One);            // [N]
            var losses = nn.functional.binary_cross_entropy_with_logits(score, target, reduction: nn.Reduction.None);
            loss = losses.mul(weights).sum().div(weights.sum());
        }
        else
        {
            loss = nn.functional.binary_cross_entropy_with_logits(score, target);
        }
        var correct = score.detach().gt(Number(0)).eq(labels.gt(Number(0.5)));                      // [N]
        return new StepLoss(loss, [("accuracy", correct.to(ScalarType.Float32).mean())]);
    }
}
