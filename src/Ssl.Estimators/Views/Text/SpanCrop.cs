using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Keeps one run of neighboring tokens, at a random place and of a random length for each text.</summary>
public sealed class SpanCrop : TextView
{
    private readonly TokenVocabulary _vocabulary;

    /// <summary>A view for a vocabulary.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="minimumShare">Least share of a text's tokens that is kept. Greater than 0.</param>
    /// <param name="maximumShare">Largest share. From <paramref name="minimumShare"/> to 1.</param>
    public SpanCrop(TokenVocabulary vocabulary, double minimumShare = 0.5, double maximumShare = 1)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        new OptionFaults()
            .Positive(minimumShare)
            .InRange(maximumShare, minimumShare, 1)
            .ThrowIfAny();
        _vocabulary = vocabulary;
        MinimumShare = minimumShare;
        MaximumShare = maximumShare;
    }

    /// <summary>Least share of a text's tokens that is kept.</summary>
    public double MinimumShare { get; }

    /// <summary>Largest share of a text's tokens that is kept.</summary>
    public double MaximumShare { get; }

    /// <inheritdoc/>
    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var device = batch.Ids.device;
        var plain = PlainTokens(batch, _vocabulary);                                                // [N, L]
        var rank = plain.cumsum(1, ScalarType.Int64).sub(Number(1));                                // [N, L], place among the plain tokens
        var count = plain.sum(1, keepdim: true);                                                    // [N, 1]
        var share = Draws.Uniform([batch.Count, 1], device, generator).mul_(Number(MaximumShare - MinimumShare)).add_(Number(MinimumShare),
            One);
        var length = share.mul(count).ceil().to(ScalarType.Int64).clamp_min(Number(1));                     // [N, 1]
        var room = count.sub(length).add(Number(1), One).clamp_min(Number(1));                           // [N, 1], possible starts
        var start = Draws.Uniform([batch.Count, 1], device, generator).mul(room).floor().to(ScalarType.Int64);
        var inside = rank.ge(start).logical_and(rank.lt(start.add(length, One)));                        // [N, L]
        var keep = batch.Mask.logical_and(inside.logical_or(plain.logical_not()));
        var result = Compact(batch, keep, _vocabulary.PaddingId);
        return new TokenBatch(result.Ids.MoveToOuterDisposeScope(), result.Mask.MoveToOuterDisposeScope());
    }
}
