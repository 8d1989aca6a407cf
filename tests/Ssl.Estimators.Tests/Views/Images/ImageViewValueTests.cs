using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>Image views with fixed parameters against torchvision's results.</summary>
[TestClass]
public sealed class ImageViewValueTests
{
    private const double Tolerance = 2e-5;

    [TestMethod]
    public void ACropIsTorchvisions()
    {
        using var scope = NewDisposeScope();
        var small = ImageSamples.Image(3, 7, 6);
        ImageSamples.AssertClose(ImageNumbers.Crop, RandomResizedCrop.Resample(small, Box(1, 2, 4, 3), Mirrored(false, false), null, 5, 6),
            Tolerance);
        ImageSamples.AssertClose(ImageNumbers.FlippedCrop,
            RandomResizedCrop.Resample(small, Box(0, 0, 7, 6), Mirrored(true, false), null, 4, 4), Tolerance);
    }

    [TestMethod]
    public void ARotationIsTorchvisions()
    {
        using var scope = NewDisposeScope();
        var turned = RandomResizedCrop.Resample(ImageSamples.Image(1, 6, 6), Box(0, 0, 6, 6), Mirrored(false, false),
            tensor(new[] { (float)(Math.PI / 6) }), 6, 6);
        ImageSamples.AssertClose(ImageNumbers.Rotated, turned, Tolerance);
    }

    [TestMethod]
    public void AnUnchangedBoxIsTheImage()
    {
        using var scope = NewDisposeScope();
        var images = ImageSamples.Image(3, 7, 6);
        var same = RandomResizedCrop.Resample(images, Box(0, 0, 7, 6), Mirrored(false, false), null, 7, 6);
        Assert.IsLessThan(1e-5f, (same - images).abs().amax(0, 1, 2, 3).item<float>());
        var upsideDown = RandomResizedCrop.Resample(images, Box(0, 0, 7, 6), Mirrored(true, true), null, 7, 6);
        Assert.IsLessThan(1e-5f, (upsideDown - images.flip(2, 3)).abs().amax(0, 1, 2, 3).item<float>());
    }

    [TestMethod]
    public void ColorsAreTorchvisions()
    {
        using var scope = NewDisposeScope();
        var small = ImageSamples.Image(3, 7, 6);
        ImageSamples.AssertClose(ImageNumbers.Brighter, ColorJitter.Brightness(small, Number(1.3f)), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.Contrast, ColorJitter.Contrast(small, Number(0.6f)), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.Saturated, ColorJitter.Saturation(small, Number(1.7f)), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.Hue, ColorJitter.Hue(small, Number(0.15f)), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.HueBack, ColorJitter.Hue(small, Number(-0.31f)), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.GrayContrast, ColorJitter.Contrast(ImageSamples.Image(1, 7, 6), Number(1.4f)), Tolerance);
    }

    [TestMethod]
    public void TheOtherViewsAreTorchvisions()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var small = ImageSamples.Image(3, 7, 6);
        var gray = new Grayscale(share: 1).Apply(small, generator);
        for (long channel = 0; channel < 3; channel++)
            ImageSamples.AssertClose(ImageNumbers.Gray, gray.narrow(1, channel, 1), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.Blurred, GaussianBlur.Blur(small, Number(1.3f), 2), Tolerance);
        ImageSamples.AssertClose(ImageNumbers.Solarized, new Solarize(0.5, share: 1).Apply(small, generator), Tolerance);
        var equalized = new Equalize(share: 1).Apply(small, generator);
        ImageSamples.AssertClose(ImageNumbers.Equalized, equalized.mul(255).round(), 0);
    }

    [TestMethod]
    public void CropsAreDrawnAsTorchvisionDrawsThem()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var boxes = new RandomResizedCrop(8, 8).Boxes(empty(20_000, 1, 30, 40), generator);
        var (top, left, height, width) = (boxes.select(1, 0), boxes.select(1, 1), boxes.select(1, 2), boxes.select(1, 3));
        AssertQuantiles(ImageNumbers.CropArea, height * width / 1200, 0.02);
        AssertQuantiles(ImageNumbers.CropRatio, (width / height).log(), 0.03);
        AssertQuantiles(ImageNumbers.CropTop, top, 1);
        AssertQuantiles(ImageNumbers.CropLeft, left, 1);
        Assert.IsTrue((top.ge(0) & left.ge(0) & (top + height).le(30) & (left + width).le(40)).all().item<bool>());
    }

    // Every pixel by a loop: where it comes from, and the four pixels around that place; of an image that is not square.
    [TestMethod]
    public void AnAffineViewTurnsMovesAndScales()
    {
        const int n = 5, height = 6, width = 9;
        using var scope = NewDisposeScope();
        using Generator generator = new(5, CPU), same = new(5, CPU);
        using var pixels = new Generator(6, CPU);
        var images = rand(n, 2, height, width, generator: pixels);
        var seen = new RandomAffine(maximumRotation: 40, maximumShift: 0.25, minimumScale: 0.6, maximumScale: 1.6).Apply(images, generator);
        float[] draws = TestSeries.Floats(Draws.Uniform([n, 4], CPU, same)), before = TestSeries.Floats(images), after = TestSeries.Floats(seen);
        var moved = 0.0;
        for (var image = 0; image < n; image++)
        {
            double Drawn(int i, double low, double high) => low + (high - low) * draws[4 * image + i];
            double angle = Drawn(0, -40, 40) * Math.PI / 180, scale = Drawn(1, 0.6, 1.6), right = Drawn(2, -0.25, 0.25) * width, down = Drawn(3, -0.25, 0.25) * height;
            for (var y = 0; y < height; y++)
            {
                for (var x = 0; x < width; x++)
                {
                    double across = x + 0.5 - width / 2.0, along = y + 0.5 - height / 2.0;
                    double fromX = (across * Math.Cos(angle) - along * Math.Sin(angle)) / scale + right + width / 2.0 - 0.5;
                    double fromY = (across * Math.Sin(angle) + along * Math.Cos(angle)) / scale + down + height / 2.0 - 0.5;
                    for (var channel = 0; channel < 2; channel++)
                    {
                        double expected = Between(image, channel, Math.Clamp(fromX, 0, width - 1), Math.Clamp(fromY, 0, height - 1));
                        var at = ((image * 2 + channel) * height + y) * width + x;
                        Assert.AreEqual(expected, after[at], 1e-4, $"image {image}, channel {channel}, {x}, {y}");
                        moved = Math.Max(moved, Math.Abs(after[at] - before[at]));
                    }
                }
            }
        }
        Assert.IsGreaterThan(0.1, moved);
        ImageSamples.AssertClose(before, new RandomAffine(0, 0, 1, 1).Apply(images, generator), 1e-5);

        double Between(int image, int channel, double x, double y)
        {
            var (left, top) = ((int)Math.Min(Math.Floor(x), width - 2), (int)Math.Min(Math.Floor(y), height - 2));
            double At(int i, int j) => before[((image * 2 + channel) * height + j) * width + i];
            var (u, v) = (x - left, y - top);
            return (1 - v) * ((1 - u) * At(left, top) + u * At(left + 1, top)) + v * ((1 - u) * At(left, top + 1) + u * At(left + 1, top + 1));
        }
    }

    [TestMethod]
    public void RectanglesToEraseAreDrawnAsTorchvisionDrawsThem()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var boxes = new RandomErasing().Boxes(empty(20_000, 1, 30, 40), generator);
        var (height, width) = (boxes.select(1, 2), boxes.select(1, 3));
        AssertQuantiles(ImageNumbers.ErasedArea, height * width / 1200, 0.01);
        AssertQuantiles(ImageNumbers.ErasedRatio, (height / width).log(), 0.06);
    }

    private static Tensor Box(float top, float left, float height, float width) => tensor(new[] { top, left, height, width }).view(1, 4);

    private static Tensor Mirrored(bool horizontally, bool vertically) => tensor(new[] { horizontally, vertically }).view(1, 2);

    private static Tensor Number(float value) => full(1, 1, 1, 1, value);

    private static void AssertQuantiles(float[] expected, Tensor values, double tolerance)
    {
        var levels = arange(1, 10, dtype: ScalarType.Float32) / 10;
        ImageSamples.AssertClose(expected, values.quantile(levels), tolerance);
    }
}
