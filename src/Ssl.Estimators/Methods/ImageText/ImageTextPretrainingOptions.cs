using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Training.Checkpoints;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Settings that every pretraining method for images with texts has.</summary>
public abstract class ImageTextPretrainingOptions : PretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected ImageTextPretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay)
    {
    }

    /// <summary>
    /// Name of the column of images: of any size and colors as <c>LoadImages</c> gives them, or a vector of <see cref="byte"/>,
    /// <see cref="float"/> or other numbers whose type says [channels, height, width].
    /// </summary>
    /// <value>The default value is "Image".</value>
    [NotEmpty]
    public string ImageColumnName { get; set; } = ColumnNames.Image;

    /// <summary>Name of the column of the images' texts. Its type is <c>Text</c>.</summary>
    /// <value>The default value is "Text".</value>
    [NotEmpty]
    public string TextColumnName { get; set; } = ColumnNames.Text;

    /// <summary>
    /// The encoder of images: an architecture from <see cref="ImageEncoders"/> or your own, which starts from random weights, or an
    /// <see cref="EncoderTransformer"/>, whose weights a copy starts from; null takes <see cref="ImageEncoders.SmallConvNet"/> for the images'
    /// size.
    /// </summary>
    public ImageEncoderFactory? ImageEncoder { get; set; }

    /// <summary>
    /// The encoder of texts: an architecture from <see cref="TextEncoders"/> or your own, which starts from random weights, or an
    /// <see cref="EncoderTransformer"/>, whose weights and tokenizer a copy starts from; null takes <see cref="TextEncoders.Bag"/>.
    /// </summary>
    public TextEncoderFactory? TextEncoder { get; set; }

    /// <summary>
    /// Whether the encoder of images stays as it is and the texts alone learn to meet it, through a linear layer behind it: for weights that exist,
    /// which a few thousand rows would only spoil. Faster, too.
    /// </summary>
    /// <remarks>Zhai et al., "LiT: Zero-Shot Transfer with Locked-image text Tuning", 2022 (arXiv:2111.07991).</remarks>
    /// <value>The default value is false.</value>
    public bool LocksImageEncoder { get; set; }

    /// <summary>Whether the encoder of texts stays as it is and the images alone learn to meet it, through a linear layer behind it.</summary>
    /// <value>The default value is false.</value>
    public bool LocksTextEncoder { get; set; }

    /// <summary>
    /// Peak learning rate of an encoder that starts from weights that exist; what starts from random weights learns with
    /// <see cref="PretrainingOptions.LearningRate"/>. Greater than 0.
    /// </summary>
    /// <value>The default value is 0.00005.</value>
    [OptionRange(Above = 0)]
    public double StartedEncoderLearningRate { get; set; } = 5e-5;

    /// <summary>How images are changed in training; null takes the method's default.</summary>
    public ImageView? View { get; set; }

    /// <inheritdoc cref="ImagePretrainingOptions.PixelMaximum"/>
    [OptionRange(Above = 0)]
    public float? PixelMaximum { get; set; }

    /// <inheritdoc cref="ImagePretrainingOptions.SkipUnreadableImages"/>
    /// <value>The default value is false.</value>
    public bool SkipUnreadableImages { get; set; }

    /// <inheritdoc cref="ImagePretrainingOptions.RecomputesBatchStatistics"/>
    /// <value>The default value is true.</value>
    [NotPartOfIdentity("Decides on what is done after the last step.")]
    public bool RecomputesBatchStatistics { get; set; } = true;

    /// <summary>
    /// A tokenizer that exists already; null trains one on the texts, unless <see cref="TextEncoder"/> brings its own.
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

    // Batch normalization and contrast need other rows in the batch.
    /// <inheritdoc/>
    protected internal override int MinimumBatchSize => 2;

    private protected override void ValidateKind(OptionFaults faults)
    {
        faults.Require(TextEncoder is not StartedTextEncoderFactory start || Tokenizer is null || ReferenceEquals(Tokenizer, start.Tokenizer),
            nameof(Tokenizer), "must be null where TextEncoder starts from weights that exist: their own tokenizer goes with them", Tokenizer?.VocabularySize);
        faults.Require(ImageColumnName != TextColumnName, nameof(TextColumnName), "must differ from ImageColumnName", $"\"{TextColumnName}\"");
        faults.Require(!MixedPrecision || ImageEncoder is null or { RoundsToBFloat16: true } && TextEncoder is null or { RoundsToBFloat16: true }, nameof(MixedPrecision), EncoderFactory.ExactOnly, MixedPrecision);
    }
}
