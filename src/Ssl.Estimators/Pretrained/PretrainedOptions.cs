using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>How pretrained weights are read.</summary>
public sealed class PretrainedOptions
{
    private const string ForImages = "must be null: the network reads texts", ForTexts = "must be null: the network reads images";

    /// <summary>Name of the new column: a known-size vector of <see cref="float"/>.</summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    public string OutputColumnName { get; set; } = ColumnNames.Features;

    /// <summary>Name of the column that is embedded; null for "Text" or "Image", as the network reads the one or the other.</summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? InputColumnName { get; set; }

    /// <summary>
    /// Texts are cut at this number of tokens, the two special ones included. At least 3, at most what the network has positions for; null
    /// for what its files say (sentence_bert_config.json, tokenizer_config.json), else all positions.
    /// </summary>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 3)]
    public int? MaximumTokens { get; set; }

    /// <summary>What is kept of texts that have more tokens.</summary>
    /// <value>The default value is <see cref="TextTruncation.Head"/>.</value>
    public TextTruncation Truncation { get; set; } = TextTruncation.Head;

    /// <summary>
    /// How the tokens' vectors become the text's; null for what modules.json says, else the mean.
    /// </summary>
    /// <value>The default value is null.</value>
    public TextPooling? Pooling { get; set; }

    /// <summary>
    /// Whether embeddings are brought to unit length; null for what modules.json says. Where there is none: no for a folder of transformers,
    /// yes for an ONNX file, since those without their settings are sentence encoders.
    /// </summary>
    /// <value>The default value is null.</value>
    public bool? UnitLength { get; set; }

    /// <summary>
    /// Networks of images: height and width in pixels at which the network computes. At least 1; of a vision transformer a multiple of its
    /// patches, and its positions are interpolated (bicubic). Null for what the files say, else 224.
    /// </summary>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 1)]
    public int? ImageSize { get; set; }

    /// <summary>
    /// Networks of images: height and width of the images in the column, where they are others than <see cref="ImageSize"/>. They are resized
    /// where the network computes, bilinear, smoothed where they shrink; methods that go on from the encoder change views of this size. At
    /// least 1; null for <see cref="ImageSize"/>. Columns of decoded images (<c>LoadImages</c>) are brought to it whatever size they have.
    /// </summary>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 1)]
    public int? InputSize { get; set; }

    /// <summary>
    /// Vision transformers: whether the class token or the mean of the patches, both behind the last norm, is the image's vector; null for what
    /// the files say, else the class token.
    /// </summary>
    /// <value>The default value is null.</value>
    public ImagePooling? ImagePooling { get; set; }

    /// <summary>
    /// Networks of images: mean and deviation of pixels from 0 to 1, red first; null for what the files say (preprocessor_config.json, timm's
    /// pretrained_cfg), else those of ImageNet, for vision transformers in transformers' layout 0.5.
    /// </summary>
    /// <value>The default value is null.</value>
    public ImageNormalization? Normalization { get; set; }

    /// <summary>
    /// Networks of images: whether the weights are for blue, green, red. They are turned round when they are read, so that the encoder takes
    /// red, green, blue as all do. Null for what the files say (do_flip_channel_order; the networks of Microsoft.ML.DnnImageFeaturizer are), else no.
    /// </summary>
    /// <value>The default value is null.</value>
    public bool? BlueFirst { get; set; }

    /// <summary>
    /// Networks of images: the value of a white pixel in a column of other numbers than bytes: 255, or 1 for pixels from 0 to 1. Greater
    /// than 0. There are no data to find it from; pixels of another range are counted in a warning when they are embedded.
    /// </summary>
    /// <value>The default value is 255.</value>
    [OptionRange(Above = 0)]
    public float PixelMaximum { get; set; } = ImagePretrainingOptions.PixelMaximumOfBytes;

    internal void ThrowIfInvalid()
    {
        var faults = new OptionFaults();
        OptionRuleAttribute.Check(this, faults);
        if (Pooling is { } pooling)
            faults.Defined(pooling, nameof(Pooling));
        if (ImagePooling is { } images)
            faults.Defined(images, nameof(ImagePooling));
        faults.ThrowIfAny();
    }

    /// <summary>Throws where an option is set that a network of texts has no use for.</summary>
    internal void ThrowIfForImages() => new OptionFaults()
        .Require(ImageSize is null, nameof(ImageSize), ForImages, ImageSize)
        .Require(InputSize is null, nameof(InputSize), ForImages, InputSize)
        .Require(ImagePooling is null, nameof(ImagePooling), ForImages, ImagePooling)
        .Require(Normalization is null, nameof(Normalization), ForImages, Normalization)
        .Require(BlueFirst is null, nameof(BlueFirst), ForImages, BlueFirst)
        .Require(PixelMaximum == ImagePretrainingOptions.PixelMaximumOfBytes, nameof(PixelMaximum), "must be 255: the network reads texts", PixelMaximum)
        .ThrowIfAny();

    /// <summary>Throws where an option is set that a network of images has no use for.</summary>
    /// <param name="isResNet">Whether it is a residual network.</param>
    internal void ThrowIfForTexts(bool isResNet) => new OptionFaults()
        .Require(MaximumTokens is null, nameof(MaximumTokens), ForTexts, MaximumTokens)
        .Require(Truncation == TextTruncation.Head, nameof(Truncation), "must be Head: the network reads images", Truncation)
        .Require(Pooling is null, nameof(Pooling), $"{ForTexts}; {nameof(ImagePooling)} is its", Pooling)
        .Require(UnitLength is null, nameof(UnitLength), ForTexts, UnitLength)
        .Require(ImagePooling is null || !isResNet, nameof(ImagePooling), "must be null: a residual network gives the mean over all places", ImagePooling)
        .ThrowIfAny();
}
