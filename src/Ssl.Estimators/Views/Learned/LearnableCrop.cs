using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>A crop whose smallest area is learned adversarially, within bounds; otherwise as <see cref="RandomResizedCrop"/>.</summary>
/// <remarks>
/// The part has a share of the area drawn evenly from the learned one to 1 and a ratio whose logarithm is even; a side is cut off at the
/// image's. Places are not rounded to whole pixels, so that the resampling has a gradient. Put it first in
/// <see cref="ImageViews.Compose"/>.
/// </remarks>
public sealed class LearnableCrop : LearnableImageView
{
    private readonly int _height, _width;
    private readonly double _maximumRatio, _flip;

    /// <summary>A view with these bounds.</summary>
    /// <param name="height">Rows of pixels that come out. At least 1.</param>
    /// <param name="width">Pixels a row that come out. At least 1.</param>
    /// <param name="minimumArea">The least that the smallest area may become. Greater than 0.</param>
    /// <param name="maximumArea">The most that the smallest area may become. At most 1.</param>
    /// <param name="maximumRatio">Largest width divided by height, and height divided by width. At least 1.</param>
    /// <param name="horizontalFlip">Share of the images that are mirrored left to right. From 0 to 1.</param>
    /// <param name="learningRateScale">Multiplies the encoder's learning rate for the strength. Greater than 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public LearnableCrop(int height, int width, double minimumArea = 0.08, double maximumArea = 1, double maximumRatio = 4.0 / 3,
        double horizontalFlip = 0.5, double learningRateScale = 10)
        : base([Bounds(height, width, minimumArea, maximumArea, maximumRatio, horizontalFlip)], learningRateScale)
        => (_height, _width, _maximumRatio, _flip) = (height, width, maximumRatio, horizontalFlip);

    private static LearnableStrength Bounds(int height, int width, double minimumArea, double maximumArea, double maximumRatio,
        double horizontalFlip)
    {
        new OptionFaults()
            .AtLeast(height, 1)
            .AtLeast(width, 1)
            .Positive(minimumArea)
            .InRange(maximumArea, minimumArea, 1)
            .AtLeast(maximumRatio, 1)
            .InRange(horizontalFlip, 0, 1)
            .ThrowIfAny();
        return new("smallest area", minimumArea, maximumArea);
    }

    /// <inheritdoc/>
    protected internal override Tensor Apply(Tensor images, IReadOnlyList<Tensor> strengths, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(strengths);
        using var scope = NewDisposeScope();
        long n = images.shape[0], height = images.shape[2], width = images.shape[3];
        var draws = Draws.Uniform([n, 5], images.device, generator);                        // [N, 5]
        var area = strengths[0].add(draws.narrow(1, 0, 1) * (strengths[0].neg().add(Number(1), One)), One);                 // [N, 1]
        // square root of width by height
        var ratio = draws.narrow(1, 1, 1).mul(Number(2)).add_(Number(-1), One).mul_(Number(Math.Log(_maximumRatio) / 2)).exp();
        var side = area.mul(Number(height * width)).sqrt();
        Tensor h = side.div(ratio).clamp_max(Number(height)), w = side.mul(ratio).clamp_max(Number(width)); // [N, 1]
        var top = draws.narrow(1, 2, 1) * (h.neg().add(Number(height), One));
        var left = draws.narrow(1, 3, 1) * (w.neg().add(Number(width), One));
        var mirrored = cat([draws.narrow(1, 4, 1).lt(Number(_flip)), zeros(n, 1, dtype: ScalarType.Bool, device: images.device)], 1);
        return RandomResizedCrop.Resample(images, cat([top, left, h, w], 1), mirrored, null, _height, _width).MoveToOuterDisposeScope();
    }
}
