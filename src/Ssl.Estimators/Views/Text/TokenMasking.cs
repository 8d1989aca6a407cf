using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Replaces tokens at random by the mask token; positions and length stay.</summary>
public sealed class TokenMasking : TextView
{
    private readonly TokenVocabulary _vocabulary;

    /// <summary>A view for a vocabulary.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="rate">Share of the tokens masked. From 0 to less than 1; at least one token of a text stays.</param>
    public TokenMasking(TokenVocabulary vocabulary, double rate = 0.15)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        new OptionFaults().InHalfOpenRange(rate, 0, 1).ThrowIfAny();
        _vocabulary = vocabulary;
        Rate = rate;
    }

    /// <summary>Share of the tokens masked.</summary>
    public double Rate { get; }

    /// <inheritdoc/>
    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var masked = Draw(PlainTokens(batch, _vocabulary), Rate, generator);                        // [N, L]
        return new TokenBatch(batch.Ids.masked_fill(masked, Number(_vocabulary.MaskId)).MoveToOuterDisposeScope(),
            batch.Mask.alias().MoveToOuterDisposeScope());
    }
}
