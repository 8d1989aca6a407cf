using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>What every image view has to hold: its own draw for each image, nothing changed in place, the seed decides.</summary>
[TestClass]
public sealed class ImageViewTests
{
    private const int Side = 16;

    private static IEnumerable<ImageView> Views()
    {
        yield return new RandomResizedCrop(Side, Side);
        yield return new RandomResizedCrop(Side, Side, maximumRotation: 180, verticalFlip: 0.5);
        yield return new ColorJitter(share: 1);
        yield return new Grayscale(0.5);
        yield return new GaussianBlur(5);
        yield return new Solarize(share: 0.5);
        yield return new Equalize(0.5);
        yield return new RandomErasing();
        yield return new RandomAffine();
        yield return new Cutout(6);
        yield return new Mixup();
        yield return new CutMix();
        yield return new PatchShuffle(4);
        yield return new LearnableColorJitter(share: 1);
        yield return new LearnableCrop(Side, Side);
        yield return ImageViews.Photos(new ImageShape(3, Side, Side));
        yield return ImageViews.Overhead(new ImageShape(3, Side, Side));
        yield return ImageViews.Asymmetric(new ImageShape(3, Side, Side)).Second;
    }

    [TestMethod]
    public void EveryImageHasADrawOfItsOwnAndTheInputStays()
    {
        using var scope = NewDisposeScope();
        // The same image 64 times: views must differ within the batch.
        var images = ImageSamples.Random(1, 3, Side, 1).repeat(64, 1, 1, 1);
        foreach (var view in Views().Where(view => view is not (Mixup or CutMix)))
        {
            using var generator = new Generator(3, CPU);
            var before = images.clone();
            var seen = view.Apply(images, generator);
            Assert.IsTrue(ImageSamples.Same(images, before), $"{view} changed its input");
            CollectionAssert.AreEqual(images.shape, seen.shape, view.ToString());
            Assert.IsTrue(seen.ge(-1e-5).logical_and(seen.le(1 + 1e-5)).all().item<bool>(), $"{view} leaves 0 to 1");
            var differences = (seen - seen.narrow(0, 0, 1)).abs().amax(1, 2, 3).gt(1e-4).sum().item<long>();
            Assert.IsGreaterThan(10, differences, $"{view}: images with another draw than the first");
        }
    }

    [TestMethod]
    public void TheSeedDecides()
    {
        using var scope = NewDisposeScope();
        var images = ImageSamples.Random(8, 3, Side, 2);
        foreach (var view in Views())
        {
            using Generator first = new(3, CPU), second = new(3, CPU);
            var a = view.Apply(images, first);
            Assert.IsTrue(ImageSamples.Same(a, view.Apply(images, second)), view.ToString());
            Assert.IsFalse(ImageSamples.Same(a, view.Apply(images, second)), $"{view}: the generator must advance");
        }
    }

    [TestMethod]
    public void BytesAndSinglesGiveTheSame()
    {
        using var scope = NewDisposeScope();
        var bytes = ImageSamples.Random(5, 1, Side, 3).mul(255).round().to(ScalarType.Byte);
        using Generator first = new(3, CPU), second = new(3, CPU);
        var view = ImageViews.Gray(new ImageShape(1, Side, Side));
        var a = view.Apply(new ImageBatch(bytes), first);
        var b = view.Apply(new ImageBatch(bytes.to(ScalarType.Float32) / 255), second);
        Assert.AreEqual(ScalarType.Float32, a.Pixels.dtype);
        Assert.IsLessThan(1e-6f, (a.Pixels - b.Pixels).abs().max().item<float>());
    }

    [TestMethod]
    public void ShareSaysHowManyAreHit()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var images = ImageSamples.Random(2_000, 3, 4, 4);
        double hit = (new Grayscale(0.2).Apply(images, generator) - images).abs().amax(1, 2, 3).gt(1e-4).sum().item<long>() / 2000.0;
        Assert.AreEqual(0.2, hit, 0.04);
        hit = (new ColorJitter(share: 0.8).Apply(images, generator) - images).abs().amax(1, 2, 3).gt(1e-4).sum().item<long>() / 2000.0;
        Assert.AreEqual(0.8, hit, 0.04);
    }

    [TestMethod]
    public void OddSizesAreTaken()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        foreach (var (channels, height, width) in ((int, int, int)[])[(1, 1, 1), (3, 1, 5), (4, 7, 3), (2, 9, 9)])
        {
            var images = rand(3, channels, height, width, generator: generator);
            var seen = ImageViews.Compose(new RandomResizedCrop(5, 4, maximumRotation: 30), new ColorJitter(), new Grayscale(),
                new Solarize(),
                new Equalize(), new RandomErasing(), new Cutout(2), new Mixup(), new CutMix()).Apply(images, generator);
            CollectionAssert.AreEqual(new long[] { 3, channels, 5, 4 }, seen.shape);
            Assert.IsTrue(seen.isfinite().all().item<bool>());
        }
        Assert.AreEqual(0, new RandomResizedCrop(5, 5).Apply(rand(0, 1, 4, 4), generator).shape[0]);
    }

    [TestMethod]
    public void PatchesAreMovedAsTheyAre()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var images = arange(16, dtype: ScalarType.Float32).div_(16).view(1, 1, 4, 4);
        var shuffled = new PatchShuffle(2).Apply(images, generator);
        var corners = shuffled.slice(2, 0, 4, 2).slice(3, 0, 4, 2).flatten();
        CollectionAssert.AreEquivalent(new[] { 0f, 2 / 16f, 8 / 16f, 10 / 16f }, corners.contiguous().data<float>().ToArray());
        Assert.IsTrue(ImageSamples.Same(images.flatten(), shuffled.flatten().sort().Item1));
    }

    [TestMethod]
    public void MultiCropGivesViewAfterView()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var crops = new MultiCrop(new RandomResizedCrop(8, 8, 0.4), 2, new RandomResizedCrop(4, 4, 0.05, 0.4), 3);
        var (global, local) = crops.Apply(new ImageBatch(ImageSamples.Random(5, 3, Side, 6)), generator);
        CollectionAssert.AreEqual(new long[] { 10, 3, 8, 8 }, global.Pixels.shape);
        CollectionAssert.AreEqual(new long[] { 15, 3, 4, 4 }, local!.Pixels.shape);
    }

    [TestMethod]
    public void WrongNumbersAreNamedTogether()
    {
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => new RandomResizedCrop(0, 8, minimumArea: 0, horizontalFlip: 2));
        foreach (var name in (string[])["height must be at least 1, got 0", "minimumArea must be greater than 0",
            "horizontalFlip must be between"])
            StringAssert.Contains(fault.Message, name);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianBlur(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ColorJitter(hue: 0.6));
        Assert.Throws<ArgumentOutOfRangeException>(() => new MultiCrop(new Solarize(), locals: 2));
        Assert.Throws<ArgumentException>(() => ImageViews.Compose());
        using var generator = new Generator(1, CPU);
        using var images = ImageSamples.Random(1, 1, 10, 1);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => new PatchShuffle(3).Apply(images, generator)).Message,
            "does not divide");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => new GaussianBlur(21).Apply(images, generator)).Message,
            "Lower kernelSize");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => new ImageBatch(images.squeeze(0))).Message, "[1, 10, 10]");
    }
}
