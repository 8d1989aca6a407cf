using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Settings of the text methods that say a text again from the embedding of a damaged one.</summary>
public abstract class TextReconstructionOptions : TextPretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected TextReconstructionOptions(int batchSize, int numberOfEpochs, double learningRate)
        : base(batchSize, numberOfEpochs, learningRate)
    {
    }

    /// <summary>Transformer blocks of the decoder, which is thrown away after training. At least 1.</summary>
    /// <value>The default value is 1: a weak decoder needs the embedding.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfDecoderLayers { get; set; } = 1;
}

/// <summary>
/// What methods share that say a text again, word by word, of which the decoder knows nothing but the embedding of a damaged copy.
/// </summary>
internal abstract class TextReconstructionMethod : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly TextEncoder _encoder;

    [ComponentName(Name = "decoder")]
    private readonly SentenceDecoder _decoder;

    [ComponentName(Name = "predictions")]
    private readonly MaskedTokenHead _head;

    private readonly RandomStreams _streams;
    private readonly TextReconstructionOptions _options;
    private readonly TextView? _view;

    /// <summary>A method around an encoder.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="encoder">What is pretrained; disposed of with the method.</param>
    /// <param name="streams">Gives initial weights and what the view draws.</param>
    /// <param name="options">Of the method.</param>
    /// <param name="view">Damages texts; null leaves them as they are.</param>
    protected TextReconstructionMethod(string name, TextEncoder encoder, RandomStreams streams, TextReconstructionOptions options, TextView? view)
        : base(name, encoder)
    {
        (_encoder, _streams, _options, _view) = (encoder, streams, options, view);
        _decoder = new SentenceDecoder(encoder, _options.NumberOfDecoderLayers, streams);
        _head = new MaskedTokenHead(encoder.TokenDimension, encoder.TokenEmbeddings.shape[0], streams);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public sealed override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var texts = Column<TokenBatch>(columns);                                                        // [N, L]
        var sentences = _encoder.call(_view is null ? texts : _view.Apply(texts, _streams.Views));      // [N, D]
        long next = texts.Ids.shape[1] - 1;
        // A text of one place has no next token; it stands as its own.
        var (known, wanted, inside) = next == 0 ? (texts.Ids, texts.Ids, texts.Mask)
            : (texts.Ids.narrow(1, 0, next), texts.Ids.narrow(1, 1, next), texts.Mask.narrow(1, 1, next));
        var vectors = _decoder.call(sentences, known, _encoder.TokenEmbeddings).flatten(0, 1);          // [N (L - 1), T]
        var (loss, accuracy) = Tell(vectors, wanted.reshape(-1), inside.reshape(-1));
        return new StepLoss(loss, [("accuracy", accuracy)], sentences.detach());
    }

    private (Tensor Loss, Tensor Accuracy) Tell(Tensor vectors, Tensor wanted, Tensor inside)
    {
        // Elsewhere than on the CPU nobody counts what is inside.
        if (vectors.device_type != DeviceType.CPU)
            return MaskedCrossEntropyLoss.ComputeCounted(_head.call(vectors, _encoder.TokenEmbeddings), wanted, inside);
        var places = inside.nonzero().squeeze(1);                                                       // [M]
        var scores = _head.call(vectors.index_select(0, places), _encoder.TokenEmbeddings);             // [M, V]
        var targets = wanted.index_select(0, places);
        return (MaskedCrossEntropyLoss.Compute(scores, targets), MaskedCrossEntropyLoss.Accuracy(scores, targets));
    }
}
