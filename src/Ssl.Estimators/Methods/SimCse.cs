using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>
/// Contrast of a text with itself: it goes through the encoder twice, with other dropout and other deleted tokens, and the two
/// embeddings shall be closer than those of different texts.
/// </summary>
/// <remarks>
/// <para>
/// Gao et al., "SimCSE: Simple Contrastive Learning of Sentence Embeddings", 2021 (arXiv:2104.08821). As there, an MLP head stands
/// between embedding and loss in training only. Deviations: both directions of the loss are averaged, and tokens may be deleted
/// as well, because dropout alone is a weak view for an encoder that does not start from a large pretrained one.
/// N texts, L places, D the embedding dimension.
/// </para>
/// </remarks>
public sealed class SimCse : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly TextEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly ProjectionHead _projection;

    private readonly RandomStreams _streams;
    private readonly TextView? _view;
    private readonly double _temperature;

    /// <summary>The method with dropout and random deletion of tokens as its view.</summary>
    /// <param name="encoder">The encoder to train; with dropout, or <paramref name="tokenDeletion"/> must be greater than 0.</param>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="tokenDeletion">Share of the tokens deleted from each of the two. From 0 to less than 1.</param>
    public SimCse(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, double temperature = 0.05,
        double tokenDeletion = 0)
        : this(encoder, streams, tokenDeletion == 0 ? null : new TokenDeletion(vocabulary, tokenDeletion), temperature)
    {
    }

    /// <summary>The method with a view of your own beside dropout.</summary>
    /// <param name="encoder">The encoder to train.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, views from
    /// <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Changes each of the two on its own; <see langword="null"/> leaves it to dropout.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    public SimCse(TextEncoder encoder, RandomStreams streams, TextView? view, double temperature = 0.05) : base(nameof(SimCse), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Positive(temperature).ThrowIfAny();
        _encoder = encoder;
        _projection = new ProjectionHead(encoder.EmbeddingDimension, streams);
        _streams = streams;
        _view = view;
        _temperature = temperature;
        RegisterComponents();
    }

    internal override bool ViewsComeFromDropout => true;

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var texts = TextColumn.Of(columns, 0, 1);
        var embeddings = _encoder.call(Twice(texts, _view, _streams));              // [2N, D]
        var halves = _projection.call(embeddings).chunk(2);                         // [N, D] twice
        var logits = InfoNceLoss.Logits(halves[0], halves[1], _temperature);        // [N, N]
        var loss = InfoNceLoss.FromLogits(logits);
        return new StepLoss(loss, [("accuracy", InfoNceLoss.Accuracy(logits))], embeddings.detach().narrow(0, 0, texts.Count));
    }

    /// <summary>The texts twice in one batch, so that the encoder runs once: dropout and view differ between the two.</summary>
    internal static TokenBatch Twice(TokenBatch texts, TextView? view, RandomStreams streams)
    {
        var both = new TokenBatch(texts.Ids.repeat(2, 1), texts.Mask.repeat(2, 1)); // [2N, L]
        return view is null ? both : view.Apply(both, streams.Views);
    }
}
