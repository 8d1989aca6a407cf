using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>Settings of the text methods that contrast two views of a text, or the two texts of a pair.</summary>
public abstract class ContrastiveTextOptions : TextPretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected ContrastiveTextOptions(int batchSize, int numberOfEpochs, double learningRate, float temperature, float tokenDeletion)
        : base(batchSize, numberOfEpochs, learningRate)
        => (Temperature, TokenDeletion) = (temperature, tokenDeletion);

    /// <summary>Divides cosine similarities: the smaller, the more the hardest negatives count. Greater than 0.</summary>
    /// <value>The default value is 0.05.</value>
    [OptionRange(Above = 0)]
    public float Temperature { get; set; }

    /// <summary>
    /// Share of the tokens deleted at random from each view in training. In [0, 1). Without effect where <see cref="View"/> is set.
    /// </summary>
    /// <value>The default value is 0.2 for pairs, else 0.3.</value>
    [OptionRange(Minimum = 0, Below = 1)]
    public float TokenDeletion { get; set; }

    /// <summary>
    /// Texts that the encoder embeds at once in training, where a step has more: its loss still compares all of them, in the memory of so many, for
    /// about half as much time again. Null embeds all of a step at once. At least 1.
    /// </summary>
    /// <remarks>
    /// Gradient caching: Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", 2021 (arXiv:2101.06983).
    /// </remarks>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 1)]
    public int? EncoderBatchSize { get; set; }

    /// <summary>
    /// Makes another view than <see cref="TokenDeletion"/> for the tokenizer of the run: one of the pack's (<see cref="TokenMasking"/>,
    /// <see cref="SpanCrop"/>, <see cref="SentenceReordering"/>, <see cref="SynonymReplacement"/>), several of them
    /// (<c>TextViews.Compose</c>), or your own. Null, the default, deletes tokens.
    /// </summary>
    /// <example>
    /// <code>
    /// View = tokenizer => TextViews.Compose(
    ///     new SpanCrop(tokenizer.Vocabulary, minimumShare: 0.6),
    ///     new SynonymReplacement(tokenizer.Vocabulary, tokenizer.ToIds(synonyms))),
    /// RequiredWords = [.. synonyms.Keys, .. synonyms.Values.SelectMany(words => words)],
    /// </code>
    /// </example>
    public Func<TextTokenizer, TextView>? View { get; set; }

    /// <inheritdoc/>
    protected internal override int MinimumBatchSize => 2;

    /// <summary>The view of a run; null changes nothing.</summary>
    internal TextView? CreateView(TextTokenizer tokenizer)
    {
        if (View is null)
            return TokenDeletion == 0 ? null : new Estimators.TokenDeletion(tokenizer.Vocabulary, TokenDeletion);
        return View(tokenizer) ?? throw new InvalidOperationException("View returned null. Return a TextView, or leave View unset.");
    }
}
