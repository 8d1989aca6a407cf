using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Trainers;

/// <summary>Settings that every pretraining method for text has.</summary>
public abstract class TextPretrainingOptions : PretrainingOptions
{
    /// <summary>The defaults that are the same for every text method.</summary>
    internal static class TextDefaults
    {
        public const string InputColumnName = "Text";
        public const int VocabularySize = 12_000;
        public const int MinimumTokenCount = 2;
        public const bool LowerCase = true;
    }

    /// <summary>Name of the text column to learn from and, later, to embed. Its type is <c>Text</c>.</summary>
    /// <value>The default value is "Text".</value>
    public string InputColumnName { get; set; } = TextDefaults.InputColumnName;

    /// <summary>The encoder to pretrain, from <see cref="TextEncoders"/> or your own; null takes the method's default.</summary>
    public TextEncoderFactory? Encoder { get; set; }

    /// <summary>A tokenizer that exists already; null trains one on the input column(s).</summary>
    public WordPieceTokenizer? Tokenizer { get; set; }

    /// <summary>Largest vocabulary of the tokenizer that is trained when <see cref="Tokenizer"/> is null. At least 100.</summary>
    /// <value>The default value is 12,000.</value>
    public int VocabularySize { get; set; } = TextDefaults.VocabularySize;

    /// <summary>How often a piece must occur in the data to get into the vocabulary. At least 1.</summary>
    /// <value>The default value is 2.</value>
    public int MinimumTokenCount { get; set; } = TextDefaults.MinimumTokenCount;

    /// <summary>Whether text is lower-cased before it is cut into tokens.</summary>
    /// <value>The default value is true.</value>
    public bool LowerCase { get; set; } = TextDefaults.LowerCase;

    /// <summary>
    /// Words that must be single tokens of the tokenizer that is trained here, such as those that a view replaces by synonyms.
    /// </summary>
    /// <value>The default is none.</value>
    public IReadOnlyCollection<string> RequiredWords { get; set; } = [];

    internal override void Validate(OptionFaults faults)
    {
        base.Validate(faults);
        faults.NotEmpty(InputColumnName);
        faults.AtLeast(VocabularySize, 100);
        faults.AtLeast(MinimumTokenCount, 1);
        faults.NotNull(RequiredWords);
        WordPieceTokenizer.Options.RequireSingleWords(faults, RequiredWords, LowerCase);
    }
}
