using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Masking;

/// <summary>Chooses tokens to predict and hides most of them, as BERT does.</summary>
/// <remarks>
/// Devlin et al., 2019 (arXiv:1810.04805): 15 % of the tokens are chosen; of these 80 % become [MASK], 10 % a random token, 10 % stay,
/// so that a vector must carry its token's meaning even where nothing is hidden. Special tokens are never chosen. Every token is drawn
/// on its own; where a batch would have none, the one with the lowest draw is chosen.
/// </remarks>
public sealed class TokenMasker
{
    // The draw of a place that is never chosen.
    private const double NotPlain = 2;

    private readonly TokenVocabulary _vocabulary;

    /// <summary>A masker for a vocabulary.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="maskRatio">Share of the tokens that are chosen. Between 0 and 1.</param>
    /// <param name="maskShare">Share of the chosen that become [MASK]. From 0 to 1.</param>
    /// <param name="randomShare">Share of the chosen that become a random token. From 0 to 1, with <paramref name="maskShare"/> at most
    /// 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range; all of them are named.</exception>
    public TokenMasker(TokenVocabulary vocabulary, double maskRatio = 0.15, double maskShare = 0.8, double randomShare = 0.1)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        new OptionFaults()
            .Between(maskRatio, 0, 1)
            .InRange(maskShare, 0, 1)
            .InRange(randomShare, 0, 1)
            .Require(!(maskShare + randomShare > 1 + 1e-9), nameof(randomShare), $"must be at most 1 together with maskShare {maskShare}",
                randomShare)
            .Require(vocabulary.Size > vocabulary.SpecialCount, nameof(vocabulary), "must have tokens beside the special ones",
                vocabulary.Size)
            .ThrowIfAny();
        _vocabulary = vocabulary;
        MaskRatio = maskRatio;
        MaskShare = maskShare;
        RandomShare = randomShare;
    }

    /// <summary>Share of the tokens that are chosen.</summary>
    public double MaskRatio { get; }

    /// <summary>Share of the chosen that become [MASK].</summary>
    public double MaskShare { get; }

    /// <summary>Share of the chosen that become a random token.</summary>
    public double RandomShare { get; }

    /// <summary>Draws anew which tokens are hidden.</summary>
    /// <param name="batch">N texts of L places; not changed and not disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    public MaskedTokens Apply(TokenBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(generator);
        using var scope = NewDisposeScope();
        var draw = Draw(batch, generator);
        var chosen = draw.lt(Number(MaskRatio)).logical_or(draw.eq(draw.min())).logical_and(draw.lt(Number(NotPlain))); // [N, L]
        return Hide(batch, chosen.view(-1).nonzero().squeeze(1), null, generator);
    }

    /// <summary>
    /// The same where nobody knows how many tokens are chosen, for to know would wait for a GPU: so many places that there are always
    /// enough, and which of them are chosen.
    /// </summary>
    /// <param name="batch">N texts of L places; not changed and not disposed of.</param>
    /// <param name="generator">The draws.</param>
    internal MaskedTokens ApplyWithoutWaiting(TokenBatch batch, Generator generator)
    {
        using var scope = NewDisposeScope();
        var draw = Draw(batch, generator).view(-1);
        // Of all places as many as a draw of so many hits in the mean, and six deviations more.
        double places = draw.shape[0], most = places * MaskRatio + 6 * Math.Sqrt(places * MaskRatio * (1 - MaskRatio)) + 1;
        var (lowest, positions) = draw.topk((int)Math.Min(places, Math.Ceiling(most)), 0, largest: false, sorted: false); // [M] twice
        var chosen = lowest.lt(Number(MaskRatio)).logical_or(lowest.eq(lowest.min())).logical_and(lowest.lt(Number(NotPlain)));
        return Hide(batch, positions, chosen, generator);
    }

    // Evenly between 0 and 1 for the plain tokens, more for all other places: [N, L].
    private Tensor Draw(TokenBatch batch, Generator generator)
    {
        var plain = batch.Mask.logical_and(batch.Ids.ge(Number(_vocabulary.SpecialCount)));                 // [N, L]
        return Draws.Uniform(batch.Ids.shape, batch.Ids.device, generator).masked_fill_(plain.logical_not(), Number(NotPlain));
    }

    // Hides the tokens at M places, or at those of them that are chosen.
    private MaskedTokens Hide(TokenBatch batch, Tensor positions, Tensor? chosen, Generator generator)
    {
        var device = batch.Ids.device;
        var ids = batch.Ids.reshape(-1);                                                            // [N * L]
        var targets = ids.index_select(0, positions);                                               // [M]
        // Of every place, so that a row's draws do not depend on what is chosen in another.
        var kind = Draws.Uniform(batch.Ids.shape, device, generator).view(-1).index_select(0, positions);           // [M]
        var random = Draws.Integers(_vocabulary.SpecialCount, _vocabulary.Size, batch.Ids.shape, device, generator).view(-1).index_select(0, positions);
        var replaced = where(kind.lt(Number(MaskShare + RandomShare)), random, targets)
            .masked_fill_(kind.lt(Number(MaskShare)), Number(_vocabulary.MaskId));                  // [M]
        if (chosen is not null)
            replaced = where(chosen, replaced, targets);
        var hidden = ids.clone().scatter_(0, positions, replaced).view(batch.Ids.shape);                  // [N, L]
        // An encoder that then needs no mask is faster on a GPU.
        var texts = new TokenBatch(hidden.MoveToOuterDisposeScope(), batch.Mask.alias().MoveToOuterDisposeScope())
        {
            HasPadding = batch.HasPadding || device.type == DeviceType.CPU,
        };
        return new MaskedTokens(texts, positions.MoveToOuterDisposeScope(), targets.MoveToOuterDisposeScope())
        {
            Chosen = chosen?.MoveToOuterDisposeScope(),
        };
    }
}

/// <summary>Texts with hidden tokens, and what was hidden.</summary>
/// <param name="Batch">The texts as the encoder shall see them, [N, L].</param>
/// <param name="Positions">The chosen places, int64 [M], counted through [N * L] in rising order.</param>
/// <param name="Targets">The tokens that stood there, int64 [M].</param>
public sealed record MaskedTokens(TokenBatch Batch, Tensor Positions, Tensor Targets)
{
    /// <summary>Which of the places are chosen, bool [M], in any order; null where all are. At the others nothing is hidden.</summary>
    internal Tensor? Chosen { get; init; }

    /// <summary>Some texts that follow each other, with the places in them.</summary>
    internal MaskedTokens Part(long first, long count)
    {
        if (count == Batch.Count)
            return this;
        long length = Batch.Ids.shape[1], start = first * length;
        var texts = Batch.Part(first, count);
        using var scope = NewDisposeScope();
        // How many there are is asked here, also of a GPU: a place of another part would cost scores of the whole vocabulary.
        var inside = Positions.ge(Number(start)).logical_and(Positions.lt(Number(start + count * length))).nonzero().squeeze(1);     // [m]
        return new MaskedTokens(texts, Positions.index_select(0, inside).sub(Number(start)).MoveToOuterDisposeScope(),
            Targets.index_select(0, inside).MoveToOuterDisposeScope())
        {
            Chosen = Chosen?.index_select(0, inside).MoveToOuterDisposeScope(),
        };
    }
}
