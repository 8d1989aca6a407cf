using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class ImageExportTests
{
    /// <summary>Every network of images, by what it is.</summary>
    internal static IReadOnlyDictionary<string, ImageEncoderFactory> Factories { get; } = new Dictionary<string, ImageEncoderFactory>
    {
        ["convolutions"] = ImageEncoders.SmallConvNet(imageSize: 18, channels: 3, numberOfStages: 3, width: 6),
        ["residual, small stem"] = new ResNetEncoderFactory(new ImageShape(3, 16, 16), [1, 2, 1, 1], false, 4, ImageStem.Small),
        ["residual, strided stem"] = new ResNetEncoderFactory(new ImageShape(1, 20, 17), [1, 1, 1, 1], false, 4, ImageStem.Strided),
        ["residual, large stem"] = new ResNetEncoderFactory(new ImageShape(3, 35, 35), [2, 1, 1, 1], false, 4, ImageStem.Large),
        ["bottlenecks"] = new ResNetEncoderFactory(new ImageShape(3, 32, 32), [1, 1, 1, 1], true, 4, ImageStem.Large),
        ["bottlenecks, stride first"] = new ResNetEncoderFactory(new ImageShape(3, 32, 32), [1, 1, 1, 1], true, 4, ImageStem.Large) { StridesFirst = true },
        ["transformer, mean"] = ImageEncoders.VisionTransformer(16, 4, 3, 2, 24, 3),
        ["transformer, class, distilled"] = new VisionTransformerEncoderFactory(new ImageShape(1, 12, 12), 4, 1, 16, 2, ImagePooling.Class) { HasDistillationToken = true },
        ["projected"] = ProjectedImageEncoderFactory.Of(ImageEncoders.SmallConvNet(imageSize: 16, numberOfStages: 2, width: 6), 5),
        ["resized"] = ImageEncoders.VisionTransformer(16, 4, 3, 1, 24, 3).Resizing(new ImageShape(3, 29, 11)),
    };

    public static IEnumerable<object[]> Names => Factories.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ModelGivesTheEncodersNumbers(string name)
    {
        var mlContext = TestDevice.Context(1);
        var normalization = new ImageNormalization([.. Enumerable.Range(0, Factories[name].Shape.Channels).Select(i => 0.4f + 0.1f * i)],
            [.. Enumerable.Range(0, Factories[name].Shape.Channels).Select(i => 0.2f + 0.1f * i)]);
        var factory = Factories[name].WithNormalization(normalization);
        using var encoder = Exports.Untrained(mlContext, new ImageRowFormat("Image", factory, 4095, loaded: false));
        var path = Exports.File("model.onnx");
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path);
        Assert.IsLessThan(2e-5, result.LargestDifference, name);
        // Once more without the exporter, and in ML.NET: pixels with fractions, beyond white, below black, and one that is no number.
        var random = new Random(2);
        var schema = SchemaDefinition.Create(typeof(PixelRow));
        schema["Image"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, factory.Shape.Channels, factory.Shape.Height, factory.Shape.Width);
        var rows = Enumerable.Range(0, 5).Select(_ => new PixelRow { Image = [.. Enumerable.Range(0, factory.Shape.Length).Select(_ => random.NextSingle() * 4600 - 200)] }).ToArray();
        rows[1].Image[3] = float.NaN;
        var data = mlContext.Data.LoadFromEnumerable(rows, schema);
        float[] expected = [.. encoder.Transform(data).GetColumn<float[]>("Features").SelectMany(row => row)];
        var actual = Exports.Run(path, ("Image", rows.SelectMany(row => row.Image).ToArray(), [rows.Length, factory.Shape.Channels, factory.Shape.Height, factory.Shape.Width]));
        Exports.AreClose(expected, actual, 2e-5);
        var onnx = mlContext.Transforms.ApplyOnnxModel(["Features"], ["Image"], path, new Dictionary<string, int[]>
        {
            ["Image"] = [1, factory.Shape.Channels, factory.Shape.Height, factory.Shape.Width],
        }, null, false, 100).Fit(data).Transform(data);
        Exports.AreClose(expected, [.. onnx.GetColumn<float[]>("Features").SelectMany(row => row)], 2e-5);
    }

    private sealed class PixelRow
    {
        public float[] Image { get; set; } = [];
    }
}
