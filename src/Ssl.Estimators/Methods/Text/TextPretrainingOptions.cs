using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Settings that every pretraining method for text has.</summary>
public abstract class TextPretrainingOptions : PretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected TextPretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay = 0.01)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay)
    {
    }

    /// <summary>Name of the text column to learn from and, later, to embed. Its type is <c>Text</c>.</summary>
    /// <value>The default value is "Text".</value>
    [NotEmpty]
    public string InputColumnName { get; set; } = ColumnNames.Text;

    /// <summary>
    /// The encoder to pretrain: an architecture from <see cref="TextEncoders"/> or your own, which starts from random weights, or an
    /// <see cref="EncoderTransformer"/>, whose weights and tokenizer a copy starts from; null takes the method's default.
    /// </summary>
    public TextEncoderFactory? Encoder { get; set; }

    /// <summary>
    /// A tokenizer that exists already; null trains one on the input column(s), unless <see cref="Encoder"/> brings its own.
    /// </summary>
    public TextTokenizer? Tokenizer { get; set; }

    /// <summary>Largest vocabulary of the tokenizer that is trained when <see cref="Tokenizer"/> is null. At least 100.</summary>
    /// <value>The default value is 12,000.</value>
    [OptionRange(Minimum = 100)]
    public int VocabularySize { get; set; } = 12_000;

    /// <summary>How often a piece must occur in the data to get into the vocabulary. At least 1.</summary>
    /// <value>The default value is 2.</value>
    [OptionRange(Minimum = 1)]
    public int MinimumTokenCount { get; set; } = 2;

    /// <summary>Whether text is lower-cased before it is cut into tokens.</summary>
    /// <value>The default value is true.</value>
    public bool LowerCase { get; set; } = true;

    /// <summary>
    /// What is made equal before texts are cut into tokens, such as "é" in one code point and in two, or full-width letters and common ones. Of
    /// the tokenizer that is trained here; <see cref="Tokenizer"/>, and the one of an <see cref="Encoder"/> with weights that exist, keep to
    /// their own rules.
    /// </summary>
    /// <remarks>Another would make other tokens of what a user takes for the same text. SentencePiece learns after NFKC, too.</remarks>
    /// <value>The default value is <see cref="TextNormalization.Nfkc"/>.</value>
    public TextNormalization Normalization { get; set; } = TextNormalization.Nfkc;

    /// <summary>
    /// What is kept of texts that have more tokens than the encoder takes, in training and later; null for what the encoder does whose weights it
    /// starts from, else the beginning. The log warns of the share that is lost.
    /// </summary>
    /// <value>The default value is null.</value>
    public TextTruncation? Truncation { get; set; }

    /// <summary>
    /// Words that must be single tokens of the tokenizer that is trained here, such as those that a view replaces by synonyms.
    /// </summary>
    /// <value>The default is none.</value>
    public IReadOnlyCollection<string> RequiredWords { get; set; } = [];

    private protected override EncoderFactory? EncoderToStartWith => Encoder;

    private protected override void ValidateKind(OptionFaults faults)
    {
        faults.NotNull(RequiredWords);
        if (Truncation is { } truncation)
            faults.Defined(truncation, nameof(Truncation));
        faults.Require(Encoder is not StartedTextEncoderFactory start || Tokenizer is null || ReferenceEquals(Tokenizer, start.Tokenizer),
            nameof(Tokenizer), "must be null where Encoder starts from weights that exist: their own tokenizer goes with them", Tokenizer?.VocabularySize);
        WordPieceTokenizer.Options.RequireSingleWords(faults, RequiredWords, LowerCase, Normalization);
    }
}
