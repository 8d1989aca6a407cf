using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Views;

namespace Ssl.Estimators.Trainers;

/// <summary>Settings of the text methods that contrast two views of a text, or the two texts of a pair.</summary>
public abstract class ContrastiveTextOptions : TextPretrainingOptions
{
    private protected ContrastiveTextOptions(float temperature, float tokenDeletion)
        => (Temperature, TokenDeletion) = (temperature, tokenDeletion);

    /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
    /// <value>The default value is 0.05.</value>
    public float Temperature { get; set; }

    /// <summary>
    /// Share of the tokens deleted at random from each view in training. In [0, 1). Without effect where <see cref="View"/> is set.
    /// </summary>
    /// <value>The default value is 0.2 for pairs, else 0.3.</value>
    public float TokenDeletion { get; set; }

    /// <summary>
    /// Makes another view than <see cref="TokenDeletion"/> for the tokenizer of the run: one of <c>Ssl.Estimators.Views</c>, several
    /// of them, or your own. Null, the default, deletes tokens.
    /// </summary>
    /// <example>
    /// <code>
    /// View = tokenizer => TextViews.Compose(
    ///     new SpanCrop(tokenizer.Vocabulary, minimumShare: 0.6),
    ///     new SynonymReplacement(tokenizer.Vocabulary, tokenizer.ToIds(synonyms))),
    /// RequiredWords = [.. synonyms.Keys, .. synonyms.Values.SelectMany(words => words)],
    /// </code>
    /// </example>
    public Func<WordPieceTokenizer, TextView>? View { get; set; }

    internal override int MinimumBatchSize => 2;

    internal override void Validate(OptionFaults faults)
    {
        base.Validate(faults);
        faults.Positive(Temperature);
        faults.InHalfOpenRange(TokenDeletion, 0, 1);
    }

    /// <summary>The view of a run; null changes nothing.</summary>
    internal TextView? CreateView(WordPieceTokenizer tokenizer)
    {
        if (View is null)
            return TokenDeletion == 0 ? null : new Views.TokenDeletion(tokenizer.Vocabulary, TokenDeletion);
        return View(tokenizer) ?? throw new InvalidOperationException("View returned null. Return a TextView, or leave View unset.");
    }
}
