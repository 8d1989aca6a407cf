using Microsoft.Extensions.AI;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Generators;

/// <summary>Small encoders, texts and images.</summary>
internal static class GeneratorData
{
    public static MLContext Context { get; } = TestDevice.Context(1);

    /// <summary>Embeds Text; 14 tokens of a text and the special ones.</summary>
    public static EncoderTransformer TextEncoder(int dimension = 16) => Context.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
    {
        Encoder = TextEncoders.Transformer(dimension: dimension, numberOfLayers: 1, numberOfHeads: 2, maximumTokens: 16),
        NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
    }).Fit(View(Texts(64)));

    /// <summary>Embeds Image, in 8 x 8 pixels of 3 channels.</summary>
    public static EncoderTransformer ImageEncoder() => Context.SelfSupervised().Images.SimClr(new SimClrTrainer.Options
    {
        Encoder = ImageEncoders.SmallConvNet(imageSize: 8, channels: 3, numberOfStages: 2, width: 4),
        BatchSize = 4, NumberOfEpochs = 1, MinimumNumberOfSteps = 0, Seed = 1,
    }).Fit(View([.. Enumerable.Range(0, 8).Select(Image)]));

    public static string[] Texts(int count)
        => [.. Enumerable.Range(0, count).Select(i => string.Join(' ', Enumerable.Range(0, 1 + i % 9).Select(j => $"word{(i * 7 + j) % 40}")))];

    /// <summary>Noise of 1 to 30 pixels each way.</summary>
    public static MLImage Image(int number)
    {
        var random = new Random(number);
        var (width, height) = (random.Next(1, 31), random.Next(1, 31));
        var pixels = new byte[width * height * 4];
        random.NextBytes(pixels);
        for (var alpha = 3; alpha < pixels.Length; alpha += 4)
            pixels[alpha] = byte.MaxValue;
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
    }

    /// <summary>The bytes of a file of that image.</summary>
    public static byte[] File(int number, string extension)
    {
        var path = Path.Combine(Path.GetTempPath(), $"ssl-{Guid.NewGuid():N}.{extension}");
        using var image = Image(number);
        image.Save(path);
        var bytes = System.IO.File.ReadAllBytes(path);
        System.IO.File.Delete(path);
        return bytes;
    }

    public static float[][] Transformed(EncoderTransformer encoder, string[] texts) => [.. encoder.Transform(View(texts)).GetColumn<float[]>("Features")];

    public static float[][] Transformed(EncoderTransformer encoder, MLImage[] images) => [.. encoder.Transform(View(images)).GetColumn<float[]>("Features")];

    public static void AssertEqual(IReadOnlyList<float[]> expected, GeneratedEmbeddings<Embedding<float>> generated)
    {
        Assert.HasCount(expected.Count, generated);
        for (var i = 0; i < expected.Count; i++)
        {
            var vector = generated[i].Vector.Span;
            Assert.AreEqual(expected[i].Length, vector.Length);
            for (var j = 0; j < vector.Length; j++)
                Assert.AreEqual(expected[i][j], vector[j], TestDevice.Repeatability, $"row {i}, number {j}");
        }
    }

    private static IDataView View(string[] texts) => Context.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }).ToArray());

    private static IDataView View(MLImage[] images) => Context.Data.LoadFromEnumerable(images.Select(image => new ImageRow { Image = image }).ToArray());

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }

    private sealed class ImageRow
    {
        public MLImage Image { get; set; } = null!;
    }
}
