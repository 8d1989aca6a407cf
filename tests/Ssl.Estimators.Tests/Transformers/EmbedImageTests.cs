using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Transformers;

/// <summary>Embeddings of images without a view.</summary>
[TestClass]
public sealed class EmbedImageTests
{
    private const int Size = 64;

    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    // More than one batch; widths and heights of 1 to 12 pixels.
    private static readonly MLImage[] s_images = [.. Enumerable.Range(0, 300).Select(Noise)];

    private static readonly EncoderTransformer s_encoder = Fit(channels: 3);

    [ClassCleanup]
    public static void Free()
    {
        s_encoder.Dispose();
        foreach (var image in s_images)
            image.Dispose();
    }

    [TestMethod]
    public void TheNumbersAreThoseOfTransform()
    {
        AssertEqual(Transformed(s_encoder, s_images), s_encoder.Embed(s_images));
        foreach (var image in s_images[..3])
            AssertEqual(Transformed(s_encoder, [image]), [s_encoder.Embed(image)]);
        Assert.IsEmpty(s_encoder.Embed(Array.Empty<MLImage>()));
        using var gray = Fit(channels: 1);
        AssertEqual(Transformed(gray, s_images[..5]), gray.Embed(s_images[..5]));
    }

    [TestMethod]
    public void ManyThreadsMayAsk()
    {
        float[][] expected = [.. s_images[..20].Select(s_encoder.Embed)];
        Parallel.For(0, 100, i => CollectionAssert.AreEqual(expected[i % 20], s_encoder.Embed(s_images[i % 20])));
    }

    [TestMethod]
    public void OneImageAtATimeNeedBeThere()
    {
        AssertEqual(s_encoder.Embed(s_images), s_encoder.Embed(OneByOne()));

        static IEnumerable<MLImage> OneByOne()
        {
            for (var i = 0; i < s_images.Length; i++)
            {
                using var image = Noise(i);
                yield return image;
            }
        }
    }

    // A store of images takes 4 megabytes at once: not anew for each call.
    [TestMethod]
    public void CallsUseTheMemoryOfThoseBefore()
    {
        s_encoder.Embed(s_images[0]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
            s_encoder.Embed(s_images[0]);
        Assert.IsLessThan(1 << 20, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void WhatIsNoImageIsRefusedInASentence()
    {
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_encoder.Embed([s_images[0], null!])).Message, "Image 1 is null");
        using var texts = s_mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options { Encoder = TextEncoders.Bag(4, 4), NumberOfEpochs = 0 })
            .Fit(s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new TextRow { Text = $"text {i}" })));
        var message = Assert.Throws<InvalidOperationException>(() => texts.Embed(s_images[0])).Message;
        StringAssert.Contains(message, "'text'");
        StringAssert.Contains(message, "embeds no images");
        StringAssert.Contains(Assert.Throws<InvalidOperationException>(() => s_encoder.Embed("a")).Message, "embeds no texts");
        var copy = s_mlContext.SelfSupervised().Embed(s_encoder).Fit(View(s_images));
        copy.Dispose();
        Assert.Throws<ObjectDisposedException>(() => copy.Embed(s_images[0]));
    }

    [TestMethod]
    public void AnImageOfTwoChannelsIsNone()
    {
        using var two = s_mlContext.SelfSupervised().Images.SimClr(Options(channels: 2)).Fit(s_mlContext.Data.LoadFromEnumerable(
            Enumerable.Range(0, 8).Select(i => new PixelRow { Image = [.. Enumerable.Repeat((byte)i, 2 * Size)] })));
        StringAssert.Contains(Assert.Throws<InvalidOperationException>(() => two.Embed(s_images[0])).Message, "vectors of pixels of 2 channels");
    }

    [TestMethod]
    public void AnImageOfAFileThatIsCutOffIsNamed()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-embed-").FullName;
        var path = Path.Combine(folder, "cut.png");
        s_images[5].Save(path);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^8]);
        using var cut = Noise(5);
        cut.Tag = path;
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => s_encoder.Embed([s_images[0], cut])).Message,
            "Image 1 cannot be embedded: the file ends before the image does");
        Directory.Delete(folder, recursive: true);
    }

    private static SimClrTrainer.Options Options(int channels) => new()
    {
        Encoder = ImageEncoders.SmallConvNet(imageSize: 8, channels, numberOfStages: 2, width: 4),
        BatchSize = 4, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
    };

    private static EncoderTransformer Fit(int channels) => s_mlContext.SelfSupervised().Images.SimClr(Options(channels)).Fit(View(s_images[..8]));

    private static MLImage Noise(int number)
    {
        var random = new Random(number);
        var (width, height) = (1 + number % 12, 1 + number / 12 % 12);
        var pixels = new byte[width * height * 4];
        random.NextBytes(pixels);
        for (var alpha = 3; alpha < pixels.Length; alpha += 4)
            pixels[alpha] = byte.MaxValue;
        return MLImage.CreateFromPixels(width, height, number % 2 == 0 ? MLPixelFormat.Rgba32 : MLPixelFormat.Bgra32, pixels);
    }

    private static float[][] Transformed(EncoderTransformer encoder, MLImage[] images) => [.. encoder.Transform(View(images)).GetColumn<float[]>("Features")];

    private static void AssertEqual(IReadOnlyList<float[]> expected, IReadOnlyList<float[]> actual)
    {
        Assert.HasCount(expected.Count, actual);
        for (var i = 0; i < expected.Count; i++)
        {
            for (var j = 0; j < expected[i].Length; j++)
                Assert.AreEqual(expected[i][j], actual[i][j], TestDevice.Repeatability, $"image {i}, number {j}");
        }
        Assert.IsGreaterThan(expected.Count / 2, expected.Select(row => row[0]).Distinct().Count());
    }

    private static IDataView View(MLImage[] images) => s_mlContext.Data.LoadFromEnumerable(images.Select(image => new ImageRow { Image = image }).ToArray());

    private sealed class ImageRow
    {
        public MLImage Image { get; set; } = null!;
    }

    private sealed class PixelRow
    {
        [VectorType(2, 8, 8)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }
}
