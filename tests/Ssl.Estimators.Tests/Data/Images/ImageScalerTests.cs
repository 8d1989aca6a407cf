using Microsoft.ML.Data;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Images;

/// <summary>Images of any size and colors become the pixels of an encoder.</summary>
[TestClass]
public sealed class ImageScalerTests
{
    [TestMethod]
    [DataRow(MLPixelFormat.Rgba32)]
    [DataRow(MLPixelFormat.Bgra32)]
    public void AnImageOfTheSameSizeIsCopiedChannelByChannel(MLPixelFormat format)
    {
        byte[] bytes = format == MLPixelFormat.Rgba32 ? [1, 2, 3, 4, 5, 6, 7, 8] : [3, 2, 1, 4, 7, 6, 5, 8];
        CollectionAssert.AreEqual(new byte[] { 1, 5, 2, 6, 3, 7, 4, 8 }, Scale(bytes, 2, 1, format, new ImageShape(4, 1, 2)));
        CollectionAssert.AreEqual(new byte[] { 1, 5, 2, 6, 3, 7 }, Scale(bytes, 2, 1, format, new ImageShape(3, 1, 2)));
    }

    [TestMethod]
    public void GrayIsTheBrightnessOfTheColors()
    {
        CollectionAssert.AreEqual(new byte[] { 76, 150, 29, 200 },
            Scale([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 200, 200, 200, 255], 4, 1, MLPixelFormat.Rgba32,
                new ImageShape(1, 1, 4)));
    }

    [TestMethod]
    [DataRow(7, 5, 3, 4)]
    [DataRow(3, 4, 7, 5)]
    [DataRow(16, 16, 4, 4)]
    [DataRow(1, 1, 6, 2)]
    [DataRow(9, 2, 1, 1)]
    public void SizesChangeAsATriangleFilterSays(int width, int height, int targetWidth, int targetHeight)
    {
        var random = new Random(1);
        var bytes = new byte[width * height * 4];
        random.NextBytes(bytes);
        var actual = Scale(bytes, width, height, MLPixelFormat.Rgba32, new ImageShape(3, targetHeight, targetWidth));
        for (var c = 0; c < 3; c++)
        {
            for (var y = 0; y < targetHeight; y++)
            {
                for (var x = 0; x < targetWidth; x++)
                {
                    double sum = 0, total = 0;
                    for (var sy = 0; sy < height; sy++)
                    {
                        for (var sx = 0; sx < width; sx++)
                        {
                            var weight = Weight(sy, y, height, targetHeight) * Weight(sx, x, width, targetWidth);
                            sum += weight * bytes[(sy * width + sx) * 4 + c];
                            total += weight;
                        }
                    }
                    Assert.AreEqual(sum / total, actual[(c * targetHeight + y) * targetWidth + x], 0.51, $"channel {c}, {y}, {x}");
                }
            }
        }
    }

    [TestMethod]
    public void OneScalerTakesImagesOfSeveralSizes()
    {
        var scaler = new ImageScaler(new ImageShape(1, 2, 2));
        foreach (var (width, height) in new[] { (5, 9), (2, 2), (30, 1), (5, 9) })
        {
            using var image = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32,
                Enumerable.Repeat((byte)77, width * height * 4).ToArray());
            var target = new byte[4];
            scaler.Write(image, target);
            CollectionAssert.AreEqual(new byte[] { 77, 77, 77, 77 }, target);
        }
    }

    // Written the slow way: the distance of two pixels' middles, in pixels of the source or, where the image shrinks, of the target.
    private static double Weight(int source, int target, int sources, int targets)
    {
        var scale = (double)sources / targets;
        return Math.Max(0, 1 - Math.Abs(source + 0.5 - (target + 0.5) * scale) / Math.Max(1, scale));
    }

    private static byte[] Scale(byte[] bytes, int width, int height, MLPixelFormat format, ImageShape shape)
    {
        using var image = MLImage.CreateFromPixels(width, height, format, bytes);
        var target = new byte[shape.Length];
        new ImageScaler(shape).Write(image, target);
        return target;
    }
}
