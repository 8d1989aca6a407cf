using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Replaces tokens at random by one of their synonyms from a dictionary that you give.</summary>
/// <remarks>The words must be single tokens: train the tokenizer with them as its required words.</remarks>
public sealed class SynonymReplacement : TextView
{
    private readonly long[] _synonyms;      // [vocabulary * _width]; synonyms repeat up to the width, a token without any stands for itself
    private readonly long[] _counts;        // [vocabulary]
    private readonly int _width;

    /// <summary>A view for a vocabulary.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="synonyms">Synonyms of a token, all as ids. At least one token with at least one synonym.</param>
    /// <param name="rate">Share of the tokens with synonyms that are replaced. From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The dictionary is empty, an id is unknown or special, or the rate is out of
    /// range.</exception>
    public SynonymReplacement(TokenVocabulary vocabulary, IReadOnlyDictionary<int, int[]> synonyms, double rate = 0.3)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(synonyms);
        new OptionFaults()
            .InRange(rate, 0, 1)
            .Require(synonyms.Count > 0 && synonyms.Values.All(list => list is { Length: > 0 }), nameof(synonyms),
                "must have tokens with at least one synonym each", synonyms.Count == 0 ? "none" : "a token without any")
            .ThrowIfAny();
        Rate = rate;
        _width = synonyms.Values.Max(list => list.Length);
        _synonyms = new long[(long)vocabulary.Size * _width];
        _counts = new long[vocabulary.Size];
        foreach (var (id, list) in synonyms)
        {
            TokenTable.Check(id, vocabulary, nameof(synonyms));
            _counts[id] = list.Length;
            for (int i = 0; i < list.Length; i++)
            {
                TokenTable.Check(list[i], vocabulary, nameof(synonyms));
                _synonyms[(long)id * _width + i] = list[i];
            }
        }
    }

    /// <summary>Share of the tokens with synonyms that are replaced.</summary>
    public double Rate { get; }

    /// <inheritdoc/>
    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var ids = batch.Ids;
        var device = ids.device;
        var counts = TokenTable.Lookup(Constants.On(device, _counts), ids);                       // [N, L]
        var pick = Draws.Uniform(ids.shape, device, generator).mul(counts).floor().to(ScalarType.Int64);  // [N, L]
        var synonym = TokenTable.Lookup(Constants.On(device, _synonyms), ids.mul(Number(_width)).add(pick, One)); // [N, L]
        var replaced = Draws.Uniform(ids.shape, device, generator).lt(Number(Rate))
            .logical_and(counts.gt(Number(0))).logical_and(batch.Mask);
        return new TokenBatch(where(replaced, synonym, ids).MoveToOuterDisposeScope(), batch.Mask.alias().MoveToOuterDisposeScope());
    }
}
