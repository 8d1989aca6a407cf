using Ssl.Estimators.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Blurs some images with a Gaussian whose width is drawn for each of them.</summary>
/// <remarks>As torchvision's GaussianBlur: rows, then columns, edges mirrored without the edge pixel.</remarks>
public sealed class GaussianBlur : ImageView
{
    private readonly int _radius;
    private readonly double _minimumSigma, _maximumSigma, _share;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="kernelSize">Pixels that count, in a row and in a column: a tenth of the image's side is usual. Odd, at least 3.</param>
    /// <param name="minimumSigma">Least deviation in pixels. Greater than 0.</param>
    /// <param name="maximumSigma">Largest deviation in pixels.</param>
    /// <param name="share">Share of the images that are blurred. From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public GaussianBlur(int kernelSize, double minimumSigma = 0.1, double maximumSigma = 2, double share = 0.5)
    {
        new OptionFaults()
            .Require(kernelSize >= 3 && kernelSize % 2 == 1, nameof(kernelSize), "must be odd and at least 3", kernelSize)
            .Positive(minimumSigma)
            .AtLeast(maximumSigma, minimumSigma)
            .InRange(share, 0, 1)
            .ThrowIfAny();
        (_radius, _minimumSigma, _maximumSigma, _share) = (kernelSize / 2, minimumSigma, maximumSigma, share);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var sigmas = Draw(images, _minimumSigma, _maximumSigma, generator);
        // So narrow a Gaussian is the pixel itself.
        sigmas = sigmas.masked_fill_(Chosen(images, _share, generator).logical_not(), Number(1e-3));
        return Blur(images, sigmas, _radius).MoveToOuterDisposeScope();
    }

    /// <summary>Blurs with given deviations.</summary>
    /// <param name="images">[N, C, H, W].</param>
    /// <param name="sigmas">[N, 1, 1, 1], in pixels.</param>
    /// <param name="radius">Pixels to either side that count; less than height and width.</param>
    internal static Tensor Blur(Tensor images, Tensor sigmas, int radius)
    {
        if (radius >= images.shape[2] || radius >= images.shape[3])
        {
            throw new ArgumentException($"A kernel of {2 * radius + 1} pixels needs images of more than {radius} pixels, got "
                + $"{images.shape[2]} x {images.shape[3]}. Lower kernelSize.", nameof(images));
        }
        using var scope = NewDisposeScope();
        var offsets = arange(Number(-radius), Number(radius + 1), One, dtype: ScalarType.Float32, device: images.device).view(1, -1, 1, 1);
        var weights = (offsets / sigmas).pow(Number(2)).mul_(Number(-0.5)).exp();                         // [N, K, 1, 1]
        weights = weights / weights.sum([1L], keepdim: true);
        var rows = Sum(nn.functional.pad(images, [radius, radius, 0, 0], PaddingModes.Reflect), weights, 3, images.shape[3]);
        return Sum(nn.functional.pad(rows, [0, 0, radius, radius], PaddingModes.Reflect), weights, 2, images.shape[2])
            .MoveToOuterDisposeScope();
    }

    // Weighted sum of shifted images: cheaper than a convolution with other weights for every image.
    private static Tensor Sum(Tensor padded, Tensor weights, int dimension, long length)
    {
        using var scope = NewDisposeScope();
        var sum = padded.narrow(dimension, 0, length).mul(weights.narrow(1, 0, 1));
        for (long k = 1; k < weights.shape[1]; k++)
            sum.addcmul_(padded.narrow(dimension, k, length), weights.narrow(1, k, 1), Number(1));
        return sum.MoveToOuterDisposeScope();
    }
}
