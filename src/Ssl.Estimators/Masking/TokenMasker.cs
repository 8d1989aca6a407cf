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
        var device = batch.Ids.device;
        long[] shape = batch.Ids.shape;
        var plain = batch.Mask.logical_and(batch.Ids.ge(Number(_vocabulary.SpecialCount)));                 // [N, L]
        var draw = Draws.Uniform(shape, device, generator).masked_fill_(plain.logical_not(), Number(2));
        var chosen = draw.lt(Number(MaskRatio)).logical_or(draw.eq(draw.min())).logical_and(plain);         // [N, L]
        var positions = chosen.view(-1).nonzero().squeeze(1);                                       // [M]

        var ids = batch.Ids.reshape(-1);                                                            // [N * L]
        var targets = ids.index_select(0, positions);                                               // [M]
        long[] count = targets.shape;
        var kind = Draws.Uniform(count, device, generator);                               // [M]
        var random = Draws.Integers(_vocabulary.SpecialCount, _vocabulary.Size, count, device, generator);
        var replaced = where(kind.lt(Number(MaskShare + RandomShare)), random, targets)
            .masked_fill_(kind.lt(Number(MaskShare)), Number(_vocabulary.MaskId));                  // [M]
        var hidden = ids.clone().scatter_(0, positions, replaced).view(shape);                            // [N, L]
        return new MaskedTokens(new TokenBatch(hidden.MoveToOuterDisposeScope(), batch.Mask.alias().MoveToOuterDisposeScope()),
            positions.MoveToOuterDisposeScope(), targets.MoveToOuterDisposeScope());
    }
}

/// <summary>Texts with hidden tokens, and what was hidden.</summary>
/// <param name="Batch">The texts as the encoder shall see them, [N, L].</param>
/// <param name="Positions">The chosen places, int64 [M], counted through [N * L] in rising order.</param>
/// <param name="Targets">The tokens that stood there, int64 [M].</param>
public sealed record MaskedTokens(TokenBatch Batch, Tensor Positions, Tensor Targets);
