using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// The hybrid: <see cref="SimCse"/>'s contrast shapes the text's embedding while <see cref="MaskedLanguageModel"/>'s prediction shapes
/// the tokens' vectors, in one step.
/// </summary>
/// <remarks>
/// The loss is the weighted sum of the two, each reported by name. A term with weight 0 is not computed.
/// N texts, L places, M chosen tokens, D the embedding dimension, V the vocabulary.
/// </remarks>
public sealed class ContrastiveMasked : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly TextEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionHead _projection;

    [ComponentName(Name = "predictions")]
    private readonly MaskedTokenHead _head;

    private readonly RandomStreams _streams;
    private readonly TextView? _view;
    private readonly TokenMasker _masker;
    private readonly double _temperature;
    private readonly double _contrastiveWeight;
    private readonly double _maskedWeight;

    /// <summary>The hybrid with dropout and random deletion of tokens as the views of its contrast.</summary>
    /// <param name="encoder">A contextual encoder: <see cref="TextEncoders.Transformer"/> or your own.</param>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="streams">The heads' weights, views and masks.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="tokenDeletion">Share of the tokens deleted from each view. From 0 to less than 1.</param>
    /// <param name="maskRatio">Share of the tokens that are chosen for prediction. Between 0 and 1.</param>
    /// <param name="contrastiveWeight">Weight of the contrastive term. At least 0; not both 0.</param>
    /// <param name="maskedWeight">Weight of the masked-token term. At least 0; not both 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or the encoder gives a token the same vector in every
    /// context.</exception>
    public ContrastiveMasked(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, double temperature = 0.05,
        double tokenDeletion = 0.1, double maskRatio = 0.15, double contrastiveWeight = 1, double maskedWeight = 1)
        : this(encoder, vocabulary, streams, tokenDeletion == 0 ? null : new TokenDeletion(vocabulary, tokenDeletion), temperature,
            maskRatio, contrastiveWeight, maskedWeight)
    {
    }

    /// <summary>The hybrid with a view of your own beside dropout.</summary>
    /// <param name="encoder">A contextual encoder: <see cref="TextEncoders.Transformer"/> or your own.</param>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="streams">The heads' weights, views and masks.</param>
    /// <param name="view">Changes each of the two contrasted texts on its own; <see langword="null"/> leaves it to dropout.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="maskRatio">Share of the tokens that are chosen for prediction. Between 0 and 1.</param>
    /// <param name="contrastiveWeight">Weight of the contrastive term. At least 0; not both 0.</param>
    /// <param name="maskedWeight">Weight of the masked-token term. At least 0; not both 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or the encoder gives a token the same vector in every
    /// context.</exception>
    public ContrastiveMasked(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, TextView? view,
        double temperature = 0.05,
        double maskRatio = 0.15, double contrastiveWeight = 1, double maskedWeight = 1)
        : base(nameof(ContrastiveMasked), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults()
            .Positive(temperature)
            .NotNegative(contrastiveWeight)
            .NotNegative(maskedWeight)
            .Require(contrastiveWeight != 0 || maskedWeight != 0, nameof(maskedWeight), "must not be 0 together with contrastiveWeight", 0)
            .ThrowIfAny();
        MaskedLanguageModel.RequireContext(encoder);
        _encoder = encoder;
        _streams = streams;
        _view = view;
        _masker = new TokenMasker(vocabulary, maskRatio);
        _projection = new ProjectionHead(encoder.EmbeddingDimension, streams);
        _head = new MaskedTokenHead(encoder.TokenDimension, vocabulary.Size, streams);
        _temperature = temperature;
        _contrastiveWeight = contrastiveWeight;
        _maskedWeight = maskedWeight;
        RegisterComponents();
    }

    internal override bool ViewsComeFromDropout => true;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var texts = TextColumn.Of(columns, 0, 1);
        var terms = new List<(string Name, Tensor Value)>();
        Tensor? total = null, embeddings = null;
        if (_contrastiveWeight > 0)
        {
            embeddings = _encoder.call(SimCse.Twice(texts, _view, _streams));                       // [2N, D]
            var halves = _projection.call(embeddings).chunk(2);                                     // [N, D] twice
            var logits = InfoNceLoss.Logits(halves[0], halves[1], _temperature);                    // [N, N]
            var contrast = InfoNceLoss.FromLogits(logits);
            terms.Add(("contrastive", contrast.detach()));
            terms.Add(("contrastive-accuracy", InfoNceLoss.Accuracy(logits)));
            total = contrast * Number(_contrastiveWeight);
        }
        if (_maskedWeight > 0)
        {
            var hidden = _masker.Apply(texts, _streams.Masks);
            var scores = MaskedLanguageModel.Scores(_encoder, _head, hidden);                       // [M, V]
            var prediction = MaskedCrossEntropyLoss.Compute(scores, hidden.Targets);
            terms.Add(("masked", prediction.detach()));
            terms.Add(("masked-accuracy", MaskedCrossEntropyLoss.Accuracy(scores, hidden.Targets)));
            total = total is null ? prediction * Number(_maskedWeight) : total.add(prediction * Number(_maskedWeight), One);
        }
        return new StepLoss(total!, terms, embeddings?.detach().narrow(0, 0, texts.Count));
    }
}
