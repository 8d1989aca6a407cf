using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Softmax cross-entropy over C classes, one output of the head for each.</summary>
internal sealed class MulticlassClassification : FineTuningMethod
{
    private const string ClassWeights = "class_weights";

    private readonly double _labelSmoothing;
    private readonly bool _weighted;

    /// <summary>The method.</summary>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">With C outputs.</param>
    /// <param name="tuning">Which weights of the encoder change.</param>
    /// <param name="labelSmoothing">Share of the target that is spread over all classes. From 0 to less than 1.</param>
    /// <param name="classWeights">C weights of a row's loss by its class; null for all equal.</param>
    public MulticlassClassification(Encoder encoder, PredictionHead head, EncoderTuning tuning, double labelSmoothing = 0,
        float[]? classWeights = null) : base(nameof(MulticlassClassification), encoder, head, tuning)
    {
        _labelSmoothing = labelSmoothing;
        _weighted = classWeights is not null;
        if (classWeights is not null)
            register_buffer(ClassWeights, tensor(classWeights));        // a buffer moves with the method to its device
    }

    /// <inheritdoc/>
    protected override StepLoss Loss(Tensor logits, Tensor labels)
    {
        var target = labels.to(ScalarType.Int64);                                                       // [N]
        var weights = _weighted ? get_buffer(ClassWeights) : null;                                      // [C]
        var loss = nn.functional.cross_entropy(logits, target, weights, label_smoothing: _labelSmoothing);
        return new StepLoss(loss, [("accuracy", logits.detach().argmax(1).eq(target).to(ScalarType.Float32).mean())]);
    }
}
