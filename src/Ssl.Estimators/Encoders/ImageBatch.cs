using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>N images of one size.</summary>
public sealed class ImageBatch : Batch
{
    /// <summary>A batch of this tensor, which it owns from then on.</summary>
    /// <param name="pixels">[N, channels, height, width]: bytes from 0 to 255, or Single from 0 to 1.</param>
    /// <exception cref="ArgumentException">The tensor has another shape or element type.</exception>
    public ImageBatch(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.dim() != 4 || pixels.dtype is not (ScalarType.Byte or ScalarType.Float32))
        {
            throw new ArgumentException("Images must be Byte or Float32 [N, channels, height, width], got "
                + $"{pixels.dtype} [{string.Join(", ", pixels.shape)}].", nameof(pixels));
        }
        Pixels = pixels;
    }

    /// <summary>[N, channels, height, width]: bytes from 0 to 255, or Single from 0 to 1.</summary>
    public Tensor Pixels { get; }

    /// <inheritdoc/>
    public override long Count => Pixels.shape[0];

    /// <summary>
    /// The pixels as Single from 0 to 1, in the caller's dispose scope; the batch's own tensor where it holds them so already.
    /// </summary>
    public Tensor ToSingle() => Pixels.dtype == ScalarType.Byte ? Pixels.to(ScalarType.Float32).mul_(Number(1f / 255)) : Pixels;

    /// <summary>Some images that follow each other.</summary>
    internal ImageBatch Part(long first, long count) => new(Pixels.narrow(0, first, count));

    /// <inheritdoc/>
    public override ImageBatch To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Pixels.device.type == device.type && (device.index < 0 || Pixels.device.index == device.index)
            ? this : new ImageBatch(DeviceCopy.Of(Pixels, device));
    }

    /// <inheritdoc/>
    public override void Dispose() => Pixels.Dispose();
}
