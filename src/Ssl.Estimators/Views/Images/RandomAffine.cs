using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Turns, moves and scales each image a little, its size as it was; where nothing of it comes to lie, the nearest pixels of its edge are repeated.
/// Unlike a crop it shows images as large as they will be shown later, and whole.
/// </summary>
/// <remarks>As torchvision's RandomAffine without shear, but for the edge, which is black there.</remarks>
public sealed class RandomAffine : ImageView
{
    private readonly double _rotation, _shift, _minimumScale, _maximumScale;

    /// <summary>A view of these strengths.</summary>
    /// <param name="maximumRotation">Largest angle in degrees, to either side. From 0 to 180.</param>
    /// <param name="maximumShift">Largest shift as a share of height and width, to either side. From 0 to 1.</param>
    /// <param name="minimumScale">Least factor of the size. Greater than 0.</param>
    /// <param name="maximumScale">Largest factor of the size. At least <paramref name="minimumScale"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public RandomAffine(double maximumRotation = 15, double maximumShift = 0.1, double minimumScale = 0.8, double maximumScale = 1.2)
    {
        new OptionFaults()
            .InRange(maximumRotation, 0, 180)
            .InRange(maximumShift, 0, 1)
            .Positive(minimumScale)
            .AtLeast(maximumScale, minimumScale)
            .ThrowIfAny();
        (_rotation, _shift, _minimumScale, _maximumScale) = (maximumRotation * Math.PI / 180, maximumShift, minimumScale, maximumScale);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        double ratio = (double)images.shape[2] / images.shape[3];
        var draws = Draws.Uniform([images.shape[0], 4], images.device, generator);                      // [N, 4]
        var angle = Between(0, -_rotation, _rotation);
        var scale = Between(1, _minimumScale, _maximumScale);
        // Where a pixel that comes out is taken from, both from -1 to 1 over the image: the angle is one of square pixels.
        var (cosine, sine) = (angle.cos() / scale, angle.sin() / scale);
        var theta = stack([
            stack([cosine, sine.mul(Number(-ratio)), Between(2, -2 * _shift, 2 * _shift)], 1),
            stack([sine.mul(Number(1 / ratio)), cosine, Between(3, -2 * _shift, 2 * _shift)], 1),
        ], 1);                                                                                          // [N, 2, 3]
        var grid = nn.functional.affine_grid(theta, images.shape, align_corners: false);                // [N, H, W, 2]
        return nn.functional.grid_sample(images, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false)
            .MoveToOuterDisposeScope();

        Tensor Between(int column, double low, double high) => draws.select(1, column).mul(Number(high - low)).add(Number(low), One);
    }
}
