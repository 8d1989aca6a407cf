using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// Supervised training of an encoder with a head on it: the same loop as pretraining, with the labels as the last column of a step.
/// A derived class says what a prediction costs. N rows, D the embedding dimension, O the head's outputs; where tokens are predicted, a row
/// is L of them.
/// </summary>
internal abstract class FineTuningMethod : PretrainingMethod
{
    private readonly EncoderTuning _tuning;
    private bool _frozen;

    /// <summary>A method that owns encoder and head.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">Predicts from its embeddings.</param>
    /// <param name="tuning">Which weights of the encoder change; where none do, its dropout is off too.</param>
    protected FineTuningMethod(string name, Encoder encoder, PredictionHead head, EncoderTuning tuning) : base(name, encoder)
    {
        Head = head;
        _tuning = tuning;
        _frozen = tuning.TrainableBlocks == 0 || tuning.FrozenEpochs > 0;
        // Not RegisterComponents, which every derived class would have to call.
        register_module("encoder", encoder);
        register_module("head", head);
        Tune(tuning);
    }

    /// <summary>Predicts from embeddings.</summary>
    public PredictionHead Head { get; }

    internal sealed override void OnEpochStarting(int epoch)
    {
        base.OnEpochStarting(epoch);
        _frozen = _tuning.TrainableBlocks == 0 || epoch < _tuning.FrozenEpochs;
    }

    /// <inheritdoc/>
    public sealed override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns is not [var inputs, LabelBatch labels])
            throw new ArgumentException($"Fine-tuning takes a batch of inputs and a {nameof(LabelBatch)}.", nameof(columns));
        return Loss(Predict(inputs, Head.call(Embed(inputs))), labels.Values);
    }

    /// <summary>The cost of predictions.</summary>
    /// <param name="logits">The head's outputs [N, O], or [N, L, O].</param>
    /// <param name="labels">Single or Double [N], or Int64 [N, L].</param>
    protected abstract StepLoss Loss(Tensor logits, Tensor labels);

    /// <summary>The prediction of what the head says: that itself, unless overridden.</summary>
    /// <param name="inputs">A batch of inputs.</param>
    /// <param name="outputs">The head's outputs [N, O], or [N, L, O].</param>
    protected virtual Tensor Predict(Batch inputs, Tensor outputs) => outputs;

    /// <summary>What the head predicts from: the rows' embeddings [N, D], unless overridden.</summary>
    protected virtual Tensor Represent(Batch inputs) => Encoder.call(inputs);

    private Tensor Embed(Batch inputs)
    {
        if (!_frozen)
        {
            if (training && !Encoder.training)
                Encoder.train();
            LetFrozenBlocksRest();
            return Represent(inputs);
        }
        Encoder.eval();     // the loop puts the whole method into training mode
        using var noGrad = no_grad();
        return Represent(inputs);
    }
}
