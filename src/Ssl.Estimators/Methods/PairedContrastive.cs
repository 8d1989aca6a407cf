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
/// Contrast of pairs: the two texts of a row (title and body, question and answer, summary and details) shall be closer than any other
/// two of the batch.
/// </summary>
/// <remarks>
/// <para>
/// Henderson et al., "Efficient Natural Language Response Suggestion for Smart Reply", 2017 (arXiv:1705.00652); the symmetric loss as in
/// Radford et al., 2021 (arXiv:2103.00020). Both sides go through the same encoder; random deletion of tokens keeps it from learning
/// single rare words by heart. N pairs, D the embedding dimension.
/// </para>
/// </remarks>
public sealed class PairedContrastive : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly TextEncoder _encoder;

    private readonly RandomStreams _streams;
    private readonly TextView? _view;
    private readonly double _temperature;
    private readonly int _columns;

    /// <summary>The method with random deletion of tokens as its view.</summary>
    /// <param name="encoder">Encodes both sides.</param>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="streams">Views are drawn from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="tokenDeletion">Share of the tokens deleted from each side. From 0 to less than 1.</param>
    public PairedContrastive(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, double temperature = 0.05,
        double tokenDeletion = 0.2)
        : this(encoder, streams, tokenDeletion == 0 ? null : new TokenDeletion(vocabulary, tokenDeletion), temperature)
    {
    }

    /// <summary>The method with a view of your own.</summary>
    /// <param name="encoder">Encodes both sides.</param>
    /// <param name="streams">Views are drawn from <see cref="RandomStreams.Views"/>.</param>
    /// <param name="view">Changes each side on its own; <see langword="null"/> leaves them as they are.</param>
    /// <param name="temperature">Divides cosine similarities. Greater than 0.</param>
    /// <param name="hardNegatives">Whether a third column brings a hard negative for each row.</param>
    public PairedContrastive(TextEncoder encoder, RandomStreams streams, TextView? view, double temperature = 0.05,
        bool hardNegatives = false)
        : base(nameof(PairedContrastive), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        new OptionFaults().Positive(temperature).ThrowIfAny();
        _encoder = encoder;
        _streams = streams;
        _view = view;
        _temperature = temperature;
        _columns = hardNegatives ? 3 : 2;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var first = Embed(TextColumn.Of(columns, 0, _columns));                     // [N, D]
        var second = Embed(TextColumn.Of(columns, 1, _columns));                    // [N, D]
        var logits = InfoNceLoss.Logits(first, second, _temperature);               // [N, N]
        var negatives = _columns < 3 ? null
            : InfoNceLoss.NegativeLogits(first, Embed(TextColumn.Of(columns, 2, _columns)), _temperature);   // [N, 1]
        var loss = InfoNceLoss.FromLogits(logits, negatives);
        return new StepLoss(loss, [("accuracy", InfoNceLoss.Accuracy(logits))], first.detach());
    }

    private Tensor Embed(TokenBatch texts)
        => _encoder.call(_view is null ? texts : _view.Apply(texts, _streams.Views));
}
