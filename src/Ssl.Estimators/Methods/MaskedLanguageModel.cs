using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

/// <summary>Some tokens are hidden; the encoder learns to tell them from the others.</summary>
/// <remarks>
/// <para>
/// Devlin et al., "BERT", 2019 (arXiv:1810.04805), without
/// next-sentence prediction. Output weights are tied to the token embeddings, and scores are computed for the chosen tokens only.
/// The vectors of tokens become aware of their context; the mean over a text is a poor sentence embedding after a short training:
/// fine-tune it, or use <see cref="SimCse"/>, <see cref="PairedContrastive"/> or <see cref="ContrastiveMasked"/> for embeddings.
/// N texts, L places, M chosen tokens, T the token dimension, V the vocabulary.
/// </para>
/// </remarks>
public sealed class MaskedLanguageModel : PretrainingMethod
{
    [ComponentName(Name = "encoder")]
    private readonly TextEncoder _encoder;

    [ComponentName(Name = "predictions")]
    private readonly MaskedTokenHead _head;

    private readonly TokenMasker _masker;
    private readonly RandomStreams _streams;

    /// <summary>The method with BERT's shares of masked, replaced and kept tokens.</summary>
    /// <param name="encoder">A contextual encoder: <see cref="TextEncoders.Transformer"/> or your own.</param>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="streams">The head's weights come from <see cref="RandomStreams.Weights"/>, masks from
    /// <see cref="RandomStreams.Masks"/>.</param>
    /// <param name="maskRatio">Share of the tokens that are chosen. Between 0 and 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range, or the encoder gives a token the same vector in every
    /// context.</exception>
    public MaskedLanguageModel(TextEncoder encoder, TokenVocabulary vocabulary, RandomStreams streams, double maskRatio = 0.15)
        : base(nameof(MaskedLanguageModel), encoder)
    {
        ArgumentNullException.ThrowIfNull(streams);
        RequireContext(encoder);
        _encoder = encoder;
        _masker = new TokenMasker(vocabulary, maskRatio);
        _head = new MaskedTokenHead(encoder.TokenDimension, vocabulary.Size, streams);
        _streams = streams;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override StepLoss Loss(IReadOnlyList<Batch> columns)
    {
        var masked = _masker.Apply(TextColumn.Of(columns, 0, 1), _streams.Masks);
        var logits = Scores(_encoder, _head, masked);                               // [M, V]
        var loss = MaskedCrossEntropyLoss.Compute(logits, masked.Targets);
        return new StepLoss(loss, [("accuracy", MaskedCrossEntropyLoss.Accuracy(logits, masked.Targets))]);
    }

    /// <summary>Scores of all tokens at chosen places, in the order of <see cref="MaskedTokens.Positions"/>.</summary>
    /// <param name="masked">Texts with hidden tokens.</param>
    /// <returns>[M, V].</returns>
    public Tensor Predict(MaskedTokens masked)
    {
        ArgumentNullException.ThrowIfNull(masked);
        using var scope = NewDisposeScope();
        return Scores(_encoder, _head, masked).MoveToOuterDisposeScope();
    }

    internal static Tensor Scores(TextEncoder encoder, MaskedTokenHead head, MaskedTokens masked)
    {
        var tokens = encoder.EncodeTokens(masked.Batch).reshape(-1, encoder.TokenDimension);        // [N * L, T]
        return head.call(tokens.index_select(0, masked.Positions), encoder.TokenEmbeddings);        // [M, V]
    }

    internal static void RequireContext(TextEncoder encoder)
    {
        if (!encoder.IsContextual)
        {
            throw new ArgumentOutOfRangeException(nameof(encoder), "Masked tokens can only be predicted from their context, and "
                + $"{encoder.GetName()} gives a token the same vector everywhere. Use TextEncoders.Transformer or an encoder of your own.");
        }
    }
}
