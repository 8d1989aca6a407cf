using Ssl.Estimators.Data;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators;

/// <summary>Settings that every pretraining method for images has.</summary>
public abstract class ImagePretrainingOptions : PretrainingOptions
{
    internal const float PixelMaximumOfBytes = 255;

    /// <summary>Settings with the method's own defaults.</summary>
    protected ImagePretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay)
    {
    }

    /// <summary>
    /// Name of the column of images to learn from and, later, to embed: images of any size and colors as <c>LoadImages</c> gives them,
    /// which are brought to the encoder's size and channels; or a vector of <see cref="byte"/>, <see cref="float"/> or other numbers,
    /// channel by channel, whose type says [channels, height, width].
    /// </summary>
    /// <value>The default value is "Image".</value>
    [NotEmpty]
    public string InputColumnName { get; set; } = ColumnNames.Image;

    /// <summary>
    /// The encoder to pretrain, from <see cref="ImageEncoders"/> or your own; null takes the method's default for the images' size.
    /// </summary>
    public ImageEncoderFactory? Encoder { get; set; }

    /// <summary>How images are changed in training; null takes the method's default from <see cref="ImageViews"/>.</summary>
    public ImageView? View { get; set; }

    /// <summary>
    /// The value of a white pixel: 255 as <c>ExtractPixels</c> has it, 1 for pixels scaled to 0 to 1, 1023, 4095, 16383 or 65535 for 10 to
    /// 16 bits. Null takes the narrowest of these ranges that holds all pixels of the data that <c>Fit</c> gets; pixels of another range
    /// are refused. What was found is logged, saved with the encoder, and holds for all that is embedded with it. Greater than 0.
    /// </summary>
    /// <value>The default value is null. Columns of <see cref="byte"/> and of images have 255.</value>
    [OptionRange(Above = 0)]
    public float? PixelMaximum { get; set; }

    /// <summary>
    /// Whether training leaves out images that cannot be decoded (damaged or missing files) with a warning that names them;
    /// <see langword="false"/> ends <c>Fit</c> at the first.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool SkipUnreadableImages { get; set; }

    /// <summary>
    /// Whether the statistics of the encoder's batch norms are computed anew at the end, from whole images: those of the training are of
    /// crops, tiles and changed colors. Costs at most 100 batches without gradients, also after
    /// <see cref="PretrainingOptions.CancellationToken"/> or <see cref="PretrainingOptions.MaximumTrainingTime"/>. Encoders without batch
    /// norms have nothing to compute.
    /// </summary>
    /// <value>The default value is true.</value>
    [NotPartOfIdentity("Decides on what is done after the last step.")]
    public bool RecomputesBatchStatistics { get; set; } = true;

    private protected override EncoderFactory? EncoderToStartWith => Encoder;

    // Batch normalization and contrast need other images in the batch.
    /// <inheritdoc/>
    protected internal override int MinimumBatchSize => 2;
}
