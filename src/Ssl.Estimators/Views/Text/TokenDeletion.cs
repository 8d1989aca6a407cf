using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Deletes tokens at random; the rest moves together.</summary>
public sealed class TokenDeletion : TextView
{
    private readonly TokenVocabulary _vocabulary;

    /// <summary>A view for a vocabulary.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="rate">Share of the tokens deleted. From 0 to less than 1; at least one token of a text stays.</param>
    public TokenDeletion(TokenVocabulary vocabulary, double rate = 0.2)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        new OptionFaults().InHalfOpenRange(rate, 0, 1).ThrowIfAny();
        _vocabulary = vocabulary;
        Rate = rate;
    }

    /// <summary>Share of the tokens deleted.</summary>
    public double Rate { get; }

    /// <inheritdoc/>
    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var deleted = Draw(PlainTokens(batch, _vocabulary), Rate, generator);                       // [N, L]
        var result = Compact(batch, batch.Mask.logical_and(deleted.logical_not()), _vocabulary.PaddingId);
        return new TokenBatch(result.Ids.MoveToOuterDisposeScope(), result.Mask.MoveToOuterDisposeScope());
    }
}
