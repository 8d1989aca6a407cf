using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>N images, each with its text.</summary>
/// <param name="images">The images; owned by the batch from then on.</param>
/// <param name="texts">Their texts, in the same order; owned by the batch from then on.</param>
public sealed class ImageTextBatch(ImageBatch images, TokenBatch texts) : Batch
{
    /// <summary>The images.</summary>
    public ImageBatch Images { get; } = images ?? throw new ArgumentNullException(nameof(images));

    /// <summary>The texts: row i belongs to image i.</summary>
    public TokenBatch Texts { get; } = texts is null ? throw new ArgumentNullException(nameof(texts))
        : texts.Count == images.Count ? texts
        : throw new ArgumentException($"Every image must have one text, got {images.Count} images and {texts.Count} texts.", nameof(texts));

    /// <inheritdoc/>
    public override long Count => Images.Count;

    /// <inheritdoc/>
    public override ImageTextBatch To(Device device)
    {
        var (images, texts) = (Images.To(device), Texts.To(device));
        return ReferenceEquals(images, Images) && ReferenceEquals(texts, Texts) ? this : new ImageTextBatch(images, texts);
    }

    /// <summary>Some of the rows; it shares this batch's memory.</summary>
    /// <param name="first">Number of the first row.</param>
    /// <param name="count">How many.</param>
    internal ImageTextBatch Part(long first, long count) => new(Images.Part(first, count), Texts.Part(first, count));

    internal override long PaddedLength => Texts.PaddedLength;

    internal override ImageTextBatch PadTo(long length) => length <= PaddedLength ? this : new ImageTextBatch(Images, Texts.PadTo(length));

    /// <inheritdoc/>
    public override void Dispose()
    {
        Images.Dispose();
        Texts.Dispose();
    }
}
