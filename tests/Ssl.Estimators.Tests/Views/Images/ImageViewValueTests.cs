using Ssl.Estimators.Views;
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
