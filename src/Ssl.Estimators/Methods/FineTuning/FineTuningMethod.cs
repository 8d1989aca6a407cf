using Ssl.Estimators.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Supervised training of an encoder with a head on it: the same loop as pretraining, with the labels as the last column of a step.
/// A derived class says what a prediction costs. N rows, D the embedding dimension, O the head's outputs.
/// </summary>
internal abstract class FineTuningMethod : PretrainingMethod
{
    private readonly bool _headOnly;

    /// <summary>A method that owns encoder and head.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="encoder">A copy of the pretrained encoder.</param>
    /// <param name="head">Predicts from its embeddings.</param>
    /// <param name="headOnly">Leaves the encoder's weights as they are and its dropout off.</param>
    protected FineTuningMethod(string name, Encoder encoder, PredictionHead head, bool headOnly) : base(name, encoder)
    {
        Head = head;
        _headOnly = headOnly;
        // Not RegisterComponents: it would find the fields of the derived class only.
        register_module("encoder", encoder);
        register_module("head", head);
        foreach (var parameter in encoder.parameters())
            parameter.requires_grad_(!headOnly);
    }

    /// <summary>Predicts from embeddings.</summary>
    public PredictionHead Head { get; }

    /// <inheritdoc/>
    public sealed override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns is not [var inputs, LabelBatch labels])
            throw new ArgumentException($"Fine-tuning takes a batch of inputs and a {nameof(LabelBatch)}.", nameof(columns));
        var logits = Head.call(Embed(inputs));                          // [N, O]
        return Loss(logits, labels.Values);
    }

    /// <summary>The cost of predictions.</summary>
    /// <param name="logits">The head's outputs [N, O].</param>
    /// <param name="labels">Single [N].</param>
    protected abstract StepLoss Loss(Tensor logits, Tensor labels);

    // Embeddings [N, D].
    private Tensor Embed(Batch inputs)
    {
        if (!_headOnly)
            return Encoder.call(inputs);
        Encoder.eval();     // the loop puts the whole method into training mode
        using var noGrad = no_grad();
        return Encoder.call(inputs);
    }
}
