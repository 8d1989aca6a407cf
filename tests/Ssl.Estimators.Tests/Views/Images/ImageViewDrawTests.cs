using System.Reflection;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>What image views draw stays in its bounds, reaches them, and goes both ways.</summary>
[TestClass]
public sealed class ImageViewDrawTests
{
    private const int Count = 4_000;

    [TestMethod]
    [DataRow(0.3, 0.7, 1.3)]
    [DataRow(1.5, 0, 2.5)]
    public void BrightnessIsAFactorOfAllPixels(double strength, double lowest, double highest)
    {
        using var scope = NewDisposeScope();
        var images = full([Count, 3, 1, 2], 0.2f);
        var factors = new ColorJitter(strength, 0, 0, 0, share: 1).Apply(images, new Generator(1)) / 0.2f;
        AssertSpread(factors.select(1, 0).select(2, 0), lowest, highest);
        Assert.IsLessThan(1e-5f, (factors - factors.narrow(3, 0, 1).narrow(1, 0, 1)).abs().max().item<float>(), "all pixels and channels alike");
        var half = new ColorJitter(strength, 0, 0, 0, share: 0.5).Apply(images, new Generator(1)).eq(images).select(1, 0).select(2, 0).select(1, 0);
        Assert.AreEqual(0.5, half.to(ScalarType.Float32).mean().item<float>(), 0.05);
    }

    [TestMethod]
    public void ContrastKeepsTheMeanAndSaturationTheBrightness()
    {
        using var scope = NewDisposeScope();
        var gray = tensor(new[] { 0.3f, 0.5f }).view(1, 1, 1, 2).expand(Count, 3, 1, 2);
        var contrast = new ColorJitter(0, 0.6, 0, 0, share: 1).Apply(gray, new Generator(1)).select(1, 0).squeeze(1);      // [N, 2]
        AssertSpread((contrast.select(1, 1) - contrast.select(1, 0)) / 0.2f, 0.4, 1.6);
        Assert.IsLessThan(1e-3f, (contrast.mean([1L]) - 0.4f).abs().max().item<float>());

        var color = tensor(new[] { 0.6f, 0.4f, 0.5f }).view(1, 3, 1, 1).expand(Count, 3, 1, 1);
        var saturation = new ColorJitter(0, 0, 0.8, 0, share: 1).Apply(color, new Generator(1)).view(Count, 3);
        AssertSpread((saturation.select(1, 0) - saturation.select(1, 1)) / 0.2f, 0.2, 1.8);
        var weights = tensor(new[] { 0.2989f, 0.587f, 0.114f });
        Assert.IsLessThan(1e-3f, (saturation.matmul(weights) - 0.4711f).abs().max().item<float>());
    }

    [TestMethod]
    public void HueTurnsToBothSidesByItsBound()
    {
        using var scope = NewDisposeScope();
        var red = tensor(new[] { 0.8f, 0.2f, 0.2f }).view(1, 3, 1, 1).expand(Count, 3, 1, 1);
        var turned = new ColorJitter(0, 0, 0, 0.1, share: 1).Apply(red, new Generator(1)).view(Count, 3);
        Assert.IsLessThan(1e-5f, (turned.amax([1L]) - 0.8f).abs().max().item<float>(), "value");
        Assert.IsLessThan(1e-5f, (turned.amin([1L]) - 0.2f).abs().max().item<float>(), "least channel");
        // Towards green by a positive turn, towards blue by a negative one: .6 of chroma in a sixth of the circle.
        var turns = (turned.select(1, 1) - turned.select(1, 2)) / (0.6f * 6);
        AssertSpread(turns, -0.1, 0.1);
        Assert.IsTrue(new ColorJitter(0, 0, 0, 0, share: 1).Apply(red, new Generator(1)).eq(red).all().item<bool>(), "no turn");
        var single = rand(5, 1, 2, 2);
        Assert.IsTrue(new ColorJitter(0, 0, 0.5, 0.5, share: 1).Apply(single, new Generator(1)).eq(single).all().item<bool>(), "one channel has no colors");
    }

    [TestMethod]
    [DataRow(4, 20, 1.0, 1.0, 0, 8, 4, 4)]
    [DataRow(20, 4, 1.0, 1.0, 8, 0, 4, 4)]
    [DataRow(4, 20, 0.75, 4.0 / 3, 0, 7, 4, 5)]
    [DataRow(20, 4, 0.75, 4.0 / 3, 7, 0, 5, 4)]
    [DataRow(7, 8, 0.875, 8.0 / 7, 0, 0, 7, 8)]
    public void WhereNoDrawFitsItIsTheMiddle(int height, int width, double minimumRatio, double maximumRatio, float top, float left, float h, float w)
    {
        using var scope = NewDisposeScope();
        // The whole area with a ratio that the image has not: nothing fits but by chance.
        var boxes = new RandomResizedCrop(2, 2, 1, 1, minimumRatio, maximumRatio).Boxes(empty(1, 1, height, width), new Generator(2));
        CollectionAssert.AreEqual(new[] { top, left, h, w }, boxes.data<float>().ToArray());
    }

    [TestMethod]
    public void CropsReachBothBoundsOfTheirArea()
    {
        using var scope = NewDisposeScope();
        var boxes = new RandomResizedCrop(2, 2, 0.2, 0.5).Boxes(empty(Count, 1, 200, 200), new Generator(2));
        AssertSpread(boxes.select(1, 2) * boxes.select(1, 3) / 40_000f, 0.2, 0.5, tolerance: 0.01);
    }

    [TestMethod]
    public void RotationsReachTheirBoundToBothSides()
    {
        using var scope = NewDisposeScope();
        const int side = 21;
        // Brighter from left to right: a rotated image is brighter from top to bottom, too, by the tangent of the angle.
        var ramp = (arange(0, side, 1, dtype: ScalarType.Float32) / (side - 1)).view(1, 1, 1, side).expand(Count, 1, side, side);
        var turned = new RandomResizedCrop(side, side, 1, 1, 1, 1, horizontalFlip: 0, maximumRotation: 2).Apply(ramp, new Generator(1)).squeeze(1);
        var (middle, step) = (turned.narrow(1, 8, 5).narrow(2, 8, 5), 1f / (side - 1));
        AssertSpread((middle.select(1, 4) - middle.select(1, 0)).mean([1L]) / (4 * step), -Math.Sin(2 * Math.PI / 180), Math.Sin(2 * Math.PI / 180), tolerance: 2e-3);
    }

    [TestMethod]
    public void SquaresRectanglesAndMixturesReachTheEdges()
    {
        using var scope = NewDisposeScope();
        var images = ones(2_000, 1, 20, 24);
        var cut = new Cutout(6).Apply(images, new Generator(1)).eq(0);
        Assert.AreEqual(36L, cut.sum([1L, 2L, 3L]).max().item<long>());
        foreach (var (y, x) in new[] { (0, 0), (0, 23), (19, 0), (19, 23) })
            Assert.IsTrue(cut.select(2, y).select(2, x).any().item<bool>(), $"no square at {y}, {x}");

        var erased = new RandomErasing(share: 1).Boxes(images, new Generator(1));
        Assert.AreEqual(0f, erased.select(1, 0).min().item<float>());
        Assert.AreEqual(20f, (erased.select(1, 0) + erased.select(1, 2)).max().item<float>());
        Assert.AreEqual(24f, (erased.select(1, 1) + erased.select(1, 3)).max().item<float>());

        // A rectangle has the ratio of the image and lies inside: on a square image it is one.
        var pair = cat([zeros(1_000, 1, 20, 20), ones(1_000, 1, 20, 20)]);
        var changed = (new CutMix(0.4).Apply(pair, new Generator(1)) - pair).abs().sum([1L, 2L, 3L]).data<float>().ToArray();
        Assert.IsTrue(changed.All(area => Math.Sqrt(area) % 1 == 0), "squares");
        Assert.IsGreaterThan(130f, changed.Max());
        Assert.IsLessThanOrEqualTo(160f, changed.Max());
    }

    [TestMethod]
    public void LevelsAreEqualizedAsPillowDoes()
    {
        using var scope = NewDisposeScope();
        var levels = (rand(2, 3, 32, 32, generator: new Generator(4)).square() * 200).to(ScalarType.Int64);
        var actual = Equalize.Spread(levels).data<long>().ToArray();
        var values = levels.data<long>().ToArray();
        for (var plane = 0; plane < 6; plane++)
        {
            var pixels = values[(plane * 1024)..((plane + 1) * 1024)];
            var counts = new long[256];
            foreach (var pixel in pixels)
                counts[pixel]++;
            var step = (1024 - counts[pixels.Max()]) / 255;
            long[] table = new long[256];
            var sum = step / 2;
            for (var level = 0; level < 256; level++)
            {
                table[level] = Math.Clamp(sum / step, 0, 255);
                sum += counts[level];
            }
            for (var i = 0; i < pixels.Length; i++)
                Assert.AreEqual(table[pixels[i]], actual[plane * 1024 + i], $"plane {plane}, level {pixels[i]}");
        }
    }

    [TestMethod]
    public void AKernelFitsIntoTheImage()
    {
        using var scope = NewDisposeScope();
        Assert.AreEqual(3, new GaussianBlur(5, share: 1).Apply(rand(1, 1, 3, 3), new Generator(1)).shape[2]);
        Assert.AreEqual(2, new GaussianBlur(3, share: 1).Apply(rand(1, 1, 2, 2), new Generator(1)).shape[2]);
        foreach (var (height, width) in new[] { (2, 5), (5, 2) })
            StringAssert.Contains(Assert.Throws<ArgumentException>(() => new GaussianBlur(5).Apply(rand(1, 1, height, width), new Generator(1))).Message, "more than 2 pixels");
    }

    [TestMethod]
    public void CompositionsHaveTheirParts()
    {
        CollectionAssert.AreEqual(new[] { "RandomResizedCrop", "ColorJitter", "Grayscale" }, Names(ImageViews.For(new ImageShape(3, 95, 200))));
        CollectionAssert.AreEqual(new[] { "RandomResizedCrop", "ColorJitter", "Grayscale", "GaussianBlur" }, Names(ImageViews.For(new ImageShape(3, 96, 96))));
        CollectionAssert.AreEqual(new[] { "RandomResizedCrop", "ColorJitter" }, Names(ImageViews.For(new ImageShape(1, 96, 96))));
        var photos = Parts(ImageViews.Photos(new ImageShape(3, 200, 300), strength: 0.25));
        foreach (var (field, value) in new[] { ("_brightness", 0.2), ("_contrast", 0.2), ("_saturation", 0.2), ("_hue", 0.05) })
            Assert.AreEqual(value, Field<double>(photos[1], field), 1e-12, field);
        Assert.AreEqual(10, Field<int>(photos[3], "_radius"), "a tenth of the image, odd: 21 pixels");
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageViews.Photos(new ImageShape(3, 32, 32), strength: 3));

        var (first, second) = ImageViews.Asymmetric(new ImageShape(3, 32, 32));
        CollectionAssert.AreEqual(new[] { "RandomResizedCrop", "ColorJitter", "Grayscale" }, Names(first));
        CollectionAssert.AreEqual(new[] { "RandomResizedCrop", "ColorJitter", "Grayscale", "Solarize" }, Names(second));
        Assert.AreEqual(0.2, Field<double>(Parts(first)[2], "_share"));
        Assert.AreEqual(0.0, Field<double>(Parts(ImageViews.Asymmetric(new ImageShape(1, 32, 32)).First)[2], "_share"));
        (first, second) = ImageViews.Asymmetric(new ImageShape(3, 96, 96));
        Assert.AreEqual(1.0, Field<double>(Parts(first)[3], "_share"), "blurred always");
        Assert.AreEqual(0.1, Field<double>(Parts(second)[3], "_share"), "blurred seldom");
        Assert.HasCount(3, Names(ImageViews.Asymmetric(new ImageShape(3, 95, 200)).First));

        var view = new Grayscale();
        Assert.AreSame(view, ImageViews.Compose(view));
        Assert.AreNotSame(view, ImageViews.Compose(view, view));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => ImageViews.RequireFixed(new LearnableColorJitter(), "X")).Message, "X cannot learn");
    }

    [TestMethod]
    public void OnlyLearnedViewsKeepAGradient()
    {
        using var scope = NewDisposeScope();
        var batch = new ImageBatch(rand(2, 3, 4, 4).requires_grad_(true));
        Assert.IsFalse(ImageViews.Each([new Grayscale(1), new Grayscale(1)], batch, new Generator(1)).Pixels.requires_grad);
        Assert.AreEqual(6, ImageViews.Repeat(new Grayscale(), 3, batch, new Generator(1)).Pixels.shape[0]);
    }

    // Evenly between two bounds: none beyond, some near either, half below the middle.
    private static void AssertSpread(Tensor values, double lowest, double highest, double tolerance = 1e-3)
    {
        var numbers = values.flatten().data<float>().ToArray();
        var width = highest - lowest;
        Assert.IsGreaterThanOrEqualTo(lowest - tolerance, numbers.Min());
        Assert.IsLessThanOrEqualTo(highest + tolerance, numbers.Max());
        Assert.IsLessThan(lowest + 0.02 * width + tolerance, numbers.Min());
        Assert.IsGreaterThan(highest - 0.02 * width - tolerance, numbers.Max());
        Assert.AreEqual(0.5, numbers.Count(number => number < lowest + width / 2) / (double)numbers.Length, 0.05);
    }

    private static string[] Names(ImageView view) => [.. Parts(view).Select(part => part.GetType().Name)];

    private static ImageView[] Parts(ImageView view)
        => view is ComposedImageView ? (ImageView[])view.GetType().GetFields(BindingFlags.NonPublic | BindingFlags.Instance).Single().GetValue(view)! : [view];

    private static T Field<T>(object part, string name) => (T)part.GetType().GetField(name, BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(part)!;
}
