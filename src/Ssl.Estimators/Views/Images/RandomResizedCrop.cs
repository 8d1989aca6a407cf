using System.Collections.Concurrent;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// A random part of the image, brought to a fixed size, perhaps flipped and turned: one resampling for all of them, with a draw of its
/// own for every image.
/// </summary>
/// <remarks>
/// <para>
/// Parameters are drawn as torchvision's RandomResizedCrop draws them: the part has a share of the image's AREA, drawn evenly, and a ratio
/// of width to height whose logarithm is drawn evenly; whole pixels; of ten such parts the first that fits is taken, or the largest
/// central one with an allowed ratio if none fits.
/// </para>
/// <para>Bilinear, without smoothing beforehand when it shrinks. What a rotation brings in from outside is black.</para>
/// </remarks>
public sealed class RandomResizedCrop : ImageView
{
    private const int Attempts = 10;

    private readonly int _height, _width;
    private readonly double _minimumArea, _maximumArea, _minimumRatio, _maximumRatio, _rotation;
    private readonly float[] _flips; // shares that are mirrored sideways, and upside down

    private static readonly float[] s_one = [1];
    private static readonly ConcurrentDictionary<int, float[]> s_centers = [];

    /// <summary>A view that gives images of a size.</summary>
    /// <param name="height">Rows of pixels that come out. At least 1.</param>
    /// <param name="width">Pixels a row that come out. At least 1.</param>
    /// <param name="minimumArea">Least share of the image's area. Greater than 0.</param>
    /// <param name="maximumArea">Largest share of the image's area. At most 1.</param>
    /// <param name="minimumRatio">Least width divided by height. Greater than 0.</param>
    /// <param name="maximumRatio">Largest width divided by height.</param>
    /// <param name="horizontalFlip">Share of the images that are mirrored left to right. From 0 to 1.</param>
    /// <param name="verticalFlip">Share of the images that are mirrored top to bottom. From 0 to 1.</param>
    /// <param name="maximumRotation">Largest angle in degrees, to either side. From 0 to 180.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public RandomResizedCrop(int height, int width, double minimumArea = 0.08, double maximumArea = 1, double minimumRatio = 3.0 / 4,
        double maximumRatio = 4.0 / 3, double horizontalFlip = 0.5, double verticalFlip = 0, double maximumRotation = 0)
    {
        new OptionFaults()
            .AtLeast(height, 1)
            .AtLeast(width, 1)
            .Positive(minimumArea)
            .InRange(maximumArea, minimumArea, 1)
            .Positive(minimumRatio)
            .AtLeast(maximumRatio, minimumRatio)
            .InRange(horizontalFlip, 0, 1)
            .InRange(verticalFlip, 0, 1)
            .InRange(maximumRotation, 0, 180)
            .ThrowIfAny();
        (_height, _width) = (height, width);
        (_minimumArea, _maximumArea, _minimumRatio, _maximumRatio) = (minimumArea, maximumArea, minimumRatio, maximumRatio);
        (_flips, _rotation) = ([(float)horizontalFlip, (float)verticalFlip], maximumRotation);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        long n = images.shape[0];
        var boxes = Boxes(images, generator);                                                       // [N, 4]
        var draws = Draws.Uniform([n, 3], images.device, generator);                        // [N, 3]
        var mirrored = draws.narrow(1, 0, 2).lt(Constants.On(images.device, _flips)); // [N, 2]
        // [N]
        var angles = _rotation == 0 ? null : draws.select(1, 2).mul(Number(2)).add_(Number(-1),
            One).mul_(Number(_rotation * Math.PI / 180));
        return Resample(images, boxes, mirrored, angles, _height, _width).MoveToOuterDisposeScope();
    }

    /// <summary>Draws the part of every image.</summary>
    /// <param name="images">[N, C, H, W]: only its shape and device count.</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>Single [N, 4]: top, left, height, width in whole pixels.</returns>
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
        // Height and width together: a call for each of them would cost a GPU twice as much.
        var sides = stack([area.div(ratio), area.mul(ratio)], 2).sqrt_().round();                   // [N, A, 2]
        var limits = SizeOf(images);                                                               // [2]
        var fits = sides.gt(Number(0)).logical_and(sides.le(limits)).all(2);                        // [N, A]
        // The first that fits: argmax gives the first of equal ones. A last column holds the central part.
        var (centralHeight, centralWidth) = Central(height, width);
        var central = full([n, 1, 2], Number(centralHeight), dtype: ScalarType.Float32, device: images.device);
        if (centralHeight != centralWidth)
            central.narrow(2, 1, 1).fill_(Number(centralWidth));
        var always = Constants.On(images.device, s_one).expand(n, 1);
        var index = cat([fits.to(ScalarType.Float32), always], 1).argmax(1, keepdim: true);         // [N, 1]
        var chosen = cat([sides, central], 1).gather(1, index.unsqueeze(2).expand(n, 1, 2)).squeeze(1);  // [N, 2]
        // A whole number from 0 to limit - side, each as likely.
        var room = chosen.neg().add_(limits, One);                                                  // [N, 2]
        var random = Draws.Uniform([n, 2], images.device, generator).mul_(room.add(Number(1), One)).floor().minimum(room);
        var corner = where(index.eq(Number(Attempts)), room.div(Number(2)).floor(), random);
        return cat([corner, chosen], 1).MoveToOuterDisposeScope();
    }

    private (double Height, double Width) Central(double height, double width)
    {
        double ratio = width / height;
        return ratio < _minimumRatio ? (Math.Round(width / _minimumRatio), width)
            : ratio > _maximumRatio ? (height, Math.Round(height * _maximumRatio)) : (height, width);
    }

    /// <summary>Resamples parts of images.</summary>
    /// <param name="images">Single [N, C, H, W].</param>
    /// <param name="boxes">Single [N, 4]: top, left, height, width in pixels.</param>
    /// <param name="mirrored">Bool [N, 2]: left to right, top to bottom.</param>
    /// <param name="angles">Single [N] in radians, counter-clockwise; null for none.</param>
    /// <param name="height">Rows that come out.</param>
    /// <param name="width">Columns that come out.</param>
    /// <returns>[N, C, height, width].</returns>
    internal static Tensor Resample(Tensor images, Tensor boxes, Tensor mirrored, Tensor? angles, int height, int width)
    {
        using var scope = NewDisposeScope();
        long n = images.shape[0];
        double sourceHeight = images.shape[2], sourceWidth = images.shape[3];
        // From -1 to 1 over the output, mirrored where drawn.
        var sign = mirrored.to(ScalarType.Float32).mul_(Number(-2)).add_(Number(1), One);                // [N, 2]
        var x = Centers(width, images.device).unsqueeze(0).mul(sign.narrow(1, 0, 1));               // [N, width]
        var y = Centers(height, images.device).unsqueeze(0).mul(sign.narrow(1, 1, 1));              // [N, height]
        Tensor gridX, gridY;
        if (angles is null)
        {
            // Nothing is read from outside the part: as if it had been cut out before.
            gridX = Place(x, boxes, 1, sourceWidth, clamps: true).unsqueeze(1).expand(n, height, width);
            gridY = Place(y, boxes, 0, sourceHeight, clamps: true).unsqueeze(2).expand(n, height, width);
        }
        else
        {
            // The turn is one of the output, whose pixels are square.
            Tensor cosine = angles.cos().view(n, 1, 1), sine = angles.sin().view(n, 1, 1);
            Tensor straightX = x.unsqueeze(1).mul(Number(width)), straightY = y.unsqueeze(2).mul(Number(height));
            var turnedX = (straightX * cosine - straightY * sine).div_(Number(width));              // [N, height, width]
            var turnedY = (straightX * sine).add(straightY * cosine, One).div_(Number(height));
            gridX = Place(turnedX.view(n, -1), boxes, 1, sourceWidth, clamps: false).view(n, height, width);
            gridY = Place(turnedY.view(n, -1), boxes, 0, sourceHeight, clamps: false).view(n, height, width);
        }
        var grid = stack([gridX, gridY], -1);                                                       // [N, height, width, 2]
        return nn.functional.grid_sample(images, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Zeros, align_corners: false)
            .MoveToOuterDisposeScope();
    }

    // Centers of pixels from -1 to 1.
    private static Tensor Centers(int count, Device device) => Constants.On(device,
        s_centers.GetOrAdd(count, static count => [.. Enumerable.Range(0, count).Select(i => (float)(2 * i + 1 - count) / count)]));

    // Places in the part, from -1 to 1, as places in the whole image, from -1 to 1.
    private static Tensor Place(Tensor places, Tensor boxes, int side, double size, bool clamps)
    {
        Tensor start = boxes.narrow(1, side, 1), length = boxes.narrow(1, side + 2, 1);             // [N, 1]
        // In pixels: start + (place + 1) / 2 x length.
        if (clamps)
        {
            var inside = length.neg().div_(length).add_(length.reciprocal(), One);                       // center of the part's first pixel
            places = places.maximum(inside).minimum(inside.neg());
        }
        return places.mul(length.div(Number(size))).add_(start.mul(Number(2)).add_(length, One).div_(Number(size)).add_(Number(-1), One),
            One);
    }
}
