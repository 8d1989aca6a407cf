using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Fills a square of some images with one value; its center may be any pixel, so that it may hang over the edge.</summary>
/// <remarks>DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017 (arXiv:1708.04552).</remarks>
public sealed class Cutout : ImageView
{
    private readonly int _side;
    private readonly double _share, _value;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="side">Side of the square in pixels. At least 1.</param>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="value">What the square is filled with. From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Cutout(int side, double share = 1, double value = 0)
    {
        new OptionFaults().AtLeast(side, 1).InRange(share, 0, 1).InRange(value, 0, 1).ThrowIfAny();
        (_side, _share, _value) = (side, share, value);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var sizes = SizeOf(images);
        // [N, 2]
        var corners = Draws.Uniform([images.shape[0], 2], images.device, generator).mul_(sizes).floor().add_(Number(-(_side / 2)), One);
        var boxes = cat([corners, corners.full_like(Number(_side))], 1);                                    // [N, 4]
        var inside = Rectangles.Inside(images, boxes).logical_and(Chosen(images, _share, generator));
        return images.masked_fill(inside, Number(_value)).MoveToOuterDisposeScope();
    }
}
