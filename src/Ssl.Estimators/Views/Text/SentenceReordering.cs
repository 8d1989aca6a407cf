using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Puts the sentences of each text into a random order; the order inside a sentence stays.</summary>
public sealed class SentenceReordering : TextView
{
    private readonly TokenVocabulary _vocabulary;
    private readonly bool[] _endsSentence;

    /// <summary>A view for a vocabulary.</summary>
    /// <param name="vocabulary">Of the tokenizer.</param>
    /// <param name="sentenceEndIds">Tokens that end a sentence: those of ".", "!", "?". At least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none, or an id is not in the vocabulary.</exception>
    public SentenceReordering(TokenVocabulary vocabulary, IReadOnlyCollection<int> sentenceEndIds)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(sentenceEndIds);
        if (sentenceEndIds.Count == 0)
            throw new ArgumentOutOfRangeException(nameof(sentenceEndIds), "Name at least one token that ends a sentence, got none.");
        _vocabulary = vocabulary;
        _endsSentence = new bool[vocabulary.Size];
        foreach (int id in sentenceEndIds)
        {
            TokenTable.Check(id, vocabulary, nameof(sentenceEndIds));
            _endsSentence[id] = true;
        }
    }

    /// <inheritdoc/>
    public override TokenBatch Apply(TokenBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var ids = batch.Ids;
        var ends = TokenTable.Lookup(Constants.On(ids.device, _endsSentence), ids).to(ScalarType.Int64); // [N, L]
        var sentence = ends.cumsum(1) - ends;                                                       // [N, L], from 0
        var order = Draws.Uniform(ids.shape, ids.device, generator).gather(1, sentence);                  // [N, L]
        // The class token stays in front, separator and padding at the end.
        order = order.masked_fill(ids.eq(Number(_vocabulary.ClassId)), Number(-1))
            .masked_fill(ids.eq(Number(_vocabulary.SeparatorId)), Number(2))
            .masked_fill(batch.Mask.logical_not(), Number(3));
        var (_, places) = order.sort(1, descending: false, stable: true);                           // [N, L]
        return new TokenBatch(ids.gather(1, places).MoveToOuterDisposeScope(), batch.Mask.alias().MoveToOuterDisposeScope());
    }
}
