using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Fills a rectangle of some images with one value. The rectangle is drawn for each of them.</summary>
/// <remarks>
/// Zhong et al., "Random Erasing Data Augmentation", 2020 (arXiv:1708.04896); parameters as torchvision's RandomErasing draws them. With
/// one area and the ratio 1 it is Cutout (DeVries and Taylor, 2017, arXiv:1708.04552), but for squares that hang over the edge.
/// </remarks>
public sealed class RandomErasing : ImageView
{
    private const int Attempts = 10;

    private readonly double _share, _minimumArea, _maximumArea, _minimumRatio, _maximumRatio, _value;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="minimumArea">Least share of the image's area. Greater than 0.</param>
    /// <param name="maximumArea">Largest share of the image's area. At most 1.</param>
    /// <param name="minimumRatio">Least height divided by width. Greater than 0.</param>
    /// <param name="maximumRatio">Largest height divided by width.</param>
    /// <param name="value">What the rectangle is filled with. From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public RandomErasing(double share = 0.5, double minimumArea = 0.02, double maximumArea = 0.33, double minimumRatio = 0.3,
        double maximumRatio = 3.3, double value = 0)
    {
        new OptionFaults()
            .InRange(share, 0, 1)
            .Positive(minimumArea)
            .InRange(maximumArea, minimumArea, 1)
            .Positive(minimumRatio)
            .AtLeast(maximumRatio, minimumRatio)
            .InRange(value, 0, 1)
            .ThrowIfAny();
        (_share, _minimumArea, _maximumArea, _minimumRatio, _maximumRatio, _value) =
            (share, minimumArea, maximumArea, minimumRatio, maximumRatio, value);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var inside = Rectangles.Inside(images, Boxes(images, generator));                           // [N, 1, H, W]
        return images.masked_fill(inside.logical_and(Chosen(images, _share, generator)), Number(_value)).MoveToOuterDisposeScope();
    }

    /// <summary>The rectangle of every image, Single [N, 4]: top, left, height, width; of no size where none of ten draws fits.</summary>
    internal Tensor Boxes(Tensor images, Generator generator)
    {
        using var scope = NewDisposeScope();
        long n = images.shape[0];
        double height = images.shape[2], width = images.shape[3];
        var draws = Draws.Uniform([n, Attempts, 2], images.device, generator);
        // [N, A]
        var area = draws.select(2, 0).mul_(Number(_maximumArea - _minimumArea)).add_(Number(_minimumArea),
            One).mul_(Number(height * width));
        var ratio = draws.select(2,
            1).mul_(Number(Math.Log(_maximumRatio) - Math.Log(_minimumRatio))).add_(Number(Math.Log(_minimumRatio)), One).exp();
        var h = area.mul(ratio).sqrt_().round();
        var w = area.div(ratio).sqrt_().round();
        var fits = h.lt(Number(height)).logical_and(w.lt(Number(width)));
        var none = zeros(n, 1, device: images.device, dtype: ScalarType.Float32);
        var index = cat([fits.to(ScalarType.Float32), none.add(Number(1), One)], 1).argmax(1, keepdim: true); // [N, 1]: the first that fits
        h = cat([h, none], 1).gather(1, index);
        w = cat([w, none], 1).gather(1, index);
        var corner = Draws.Uniform([n, 2], images.device, generator);
        var top = corner.narrow(1, 0, 1).mul(h.neg().add_(Number(height + 1), One)).floor();
        var left = corner.narrow(1, 1, 1).mul(w.neg().add_(Number(width + 1), One)).floor();
        return cat([top, left, h, w], 1).MoveToOuterDisposeScope();
    }
}

/// <summary>Rectangles of pixels.</summary>
internal static class Rectangles
{
    /// <summary>Which pixels lie in the rectangle of their image.</summary>
    /// <param name="images">[N, C, H, W]: only its shape and device count.</param>
    /// <param name="boxes">Single [N, 4]: top, left, height, width; may hang over the edge.</param>
    /// <returns>Bool [N, 1, H, W].</returns>
    public static Tensor Inside(Tensor images, Tensor boxes)
    {
        using var scope = NewDisposeScope();
        var rows = Between(images.shape[2], 0).unsqueeze(2);                                        // [N, H, 1]
        var columns = Between(images.shape[3], 1).unsqueeze(1);                                     // [N, 1, W]
        return rows.logical_and(columns).unsqueeze(1).MoveToOuterDisposeScope();

        Tensor Between(long count, int side)
        {
            Tensor start = boxes.narrow(1, side, 1), end = start.add(boxes.narrow(1, side + 2, 1), One);    // [N, 1]
            var places = arange(Number(0), Number(count), One, dtype: ScalarType.Float32, device: images.device).unsqueeze(0);
            return places.ge(start).logical_and(places.lt(end));                                    // [N, count]
        }
    }
}
