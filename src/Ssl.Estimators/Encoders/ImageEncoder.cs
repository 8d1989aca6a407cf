using Ssl.Estimators.Encoders;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// An encoder of images of one size. Pixels are standardized by <see cref="Normalization"/> before the network sees them.
/// </summary>
public abstract class ImageEncoder : Encoder<ImageBatch>
{
    // Where nothing is learned on a CPU, so many at once: the maps of a large batch would neither fit its caches nor a gigabyte.
    // A convolution orders its weights anew for each part, so that a few images at a time would cost twice as much.
    private const int PixelsAtOnce = 32 * 224 * 224, FewImages = 16;

    // Of the standardization, one for each channel: of images of bytes, of others, and what is added.
    private float[]? _byteScales, _scales, _offsets;

    /// <summary>An encoder of this name; the derived class registers its components.</summary>
    /// <param name="name">Name of the module.</param>
    /// <param name="shape">The images that it takes.</param>
    /// <param name="normalization">Mean and deviation of the pixels; one number for each channel.</param>
    protected ImageEncoder(string name, ImageShape shape, ImageNormalization normalization) : base(name)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(normalization);
        normalization.Require(shape.Channels);
        Shape = shape;
        NetworkShape = shape;
        Normalization = normalization;
    }

    /// <summary>An encoder of this name that brings the images to the size that its network computes at, where the factory says so.</summary>
    private protected ImageEncoder(string name, ImageEncoderFactory factory, ImageNormalization normalization)
        : this(name, factory.Shape, normalization) => NetworkShape = factory.NetworkShape;

    /// <summary>The images that it was made for. Networks without positions take other sizes too, as local crops need.</summary>
    public ImageShape Shape { get; }

    /// <summary>The images as the network sees them: of <see cref="Shape"/>, or resized from it.</summary>
    internal ImageShape NetworkShape { get; }

    /// <summary>Mean and deviation of the pixels.</summary>
    public ImageNormalization Normalization { get; }

    /// <summary>Whether images of other heights and widths can be embedded.</summary>
    public virtual bool TakesAnySize => false;

    /// <summary>Whether images are brought to another size before the network sees them, whatever size they have.</summary>
    internal bool Resizes => NetworkShape != Shape;

    /// <inheritdoc/>
    protected sealed override Tensor Encode(ImageBatch batch)
    {
        using var scope = NewDisposeScope();
        var count = Math.Max(FewImages, PixelsAtOnce / (NetworkShape.Height * NetworkShape.Width));
        if (training || is_grad_enabled() || batch.Count <= count || batch.Pixels.device_type != DeviceType.CPU)
            return EncodePixels(Standardize(batch)).MoveToOuterDisposeScope();
        var embeddings = new List<Tensor>();
        for (long first = 0; first < batch.Count; first += count)
        {
            using var part = new ImageBatch(batch.Pixels.narrow(0, first, Math.Min(count, batch.Count - first)));
            using var inner = NewDisposeScope();
            embeddings.Add(EncodePixels(Standardize(part)).MoveToOuterDisposeScope());
        }
        return cat(embeddings).MoveToOuterDisposeScope();
    }

    /// <summary>Embeds standardized images.</summary>
    /// <param name="pixels">Single [N, channels, height, width], mean about 0 and deviation about 1.</param>
    /// <returns>[N, <see cref="Encoder.EmbeddingDimension"/>].</returns>
    protected abstract Tensor EncodePixels(Tensor pixels);

    /// <summary>The same for an encoder around this one, which has standardized them.</summary>
    internal Tensor EncodeStandardized(Tensor pixels) => EncodePixels(pixels);

    /// <summary>The images as the network wants them: (x - mean) / deviation, channel by channel, and of its size.</summary>
    /// <param name="batch">On the encoder's device.</param>
    /// <returns>Single [N, channels, height, width].</returns>
    /// <exception cref="ArgumentException">Channels or size are not those of <see cref="Shape"/>.</exception>
    public Tensor Standardize(ImageBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        long[] shape = batch.Pixels.shape;
        if (shape[1] != Shape.Channels || (!TakesAnySize && (shape[2] != Shape.Height || shape[3] != Shape.Width)))
        {
            throw new ArgumentException($"{GetName()} takes images {Shape}, got [{shape[1]}, {shape[2]}, {shape[3]}]. "
                + "Resize them first, or make the encoder for that size.", nameof(batch));
        }
        using var scope = NewDisposeScope();
        // One multiplication and one addition for each pixel, the 1/255 of bytes included.
        float[] scales = batch.Pixels.dtype == ScalarType.Byte
            ? _byteScales ??= Scales(1.0 / 255) : _scales ??= Scales(1);
        _offsets ??= [.. Normalization.Mean.Zip(Normalization.Deviation, (m, d) => -m / d)];
        var scale = PerChannel(scales, batch.Pixels.device);                                        // [1, C, 1, 1]
        var offset = PerChannel(_offsets, batch.Pixels.device);
        var pixels = batch.Pixels.mul(scale).add_(offset, One);
        if (Resizes && (shape[2] != NetworkShape.Height || shape[3] != NetworkShape.Width))
        {
            // A triangle as wide as the image shrinks, as Pillow's: plain bilinear where it grows.
            pixels = nn.functional.interpolate(pixels, [NetworkShape.Height, NetworkShape.Width], mode: InterpolationMode.Bilinear,
                align_corners: false, antialias: true);
        }
        return pixels.MoveToOuterDisposeScope();
    }

    private float[] Scales(double unit) => [.. Normalization.Deviation.Select(d => (float)(unit / d))];

    private static Tensor PerChannel(float[] values, Device device) => Constants.On(device, values).view(1, values.Length, 1, 1);
}

/// <summary>Size of an image.</summary>
/// <param name="Channels">1 for gray, 3 for color, or any other number. At least 1.</param>
/// <param name="Height">Rows of pixels. At least 1.</param>
/// <param name="Width">Pixels a row. At least 1.</param>
public sealed record ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Numbers in an image.</summary>
    public int Length => checked(Channels * Height * Width);

    /// <inheritdoc/>
    public override string ToString() => $"[{Channels}, {Height}, {Width}]";
}

/// <summary>Mean and standard deviation of pixels scaled to 0 to 1, one number for each channel.</summary>
/// <param name="Mean">Subtracted.</param>
/// <param name="Deviation">Divided by; greater than 0.</param>
public sealed record ImageNormalization(IReadOnlyList<float> Mean, IReadOnlyList<float> Deviation)
{
    /// <summary>Mean 0.5 and deviation 0.25 for each channel: what to take where nothing is known of the images.</summary>
    /// <param name="channels">Number of channels.</param>
    public static ImageNormalization Neutral(int channels) => new(
        [.. Enumerable.Repeat(0.5f, channels)], [.. Enumerable.Repeat(0.25f, channels)]);

    /// <summary>The statistics of ImageNet that torchvision's and timm's weights were trained with.</summary>
    public static ImageNormalization ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    internal void Require(int channels)
    {
        if (Mean.Count != channels || Deviation.Count != channels || !Mean.All(float.IsFinite)
            || !Deviation.All(d => d > 0 && float.IsFinite(d)))
        {
            throw new ArgumentOutOfRangeException(nameof(Deviation),
                $"Normalization needs {channels} means and {channels} deviations greater than 0, got [{string.Join(", ", Mean)}] and "
                + $"[{string.Join(", ", Deviation)}].");
        }
    }
}
