using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class ImageTextExportTests
{
    private static readonly WordPieceTokenizer s_tokenizer = WordPieceTokenizer.Train(ContractData.Rows(80).Select(row => row.Text));

    /// <summary>Every network of images with texts, by what it is.</summary>
    internal static IReadOnlyDictionary<string, (ImageEncoderFactory Images, TextEncoderFactory Texts, ImageTextNetwork Network)> Networks { get; }
        = new Dictionary<string, (ImageEncoderFactory, TextEncoderFactory, ImageTextNetwork)>
        {
            ["two towers"] = (ProjectedImageEncoderFactory.Of(ImageEncoders.SmallConvNet(imageSize: 16, numberOfStages: 2, width: 6), 5),
                new ProjectedTextEncoderFactory(TextEncoders.Bag(12, 10, 14), 5), new TwoTowerNetwork()),
            ["fusion"] = (ImageEncoders.VisionTransformer(16, 8, 3, 1, 24, 3), TextEncoders.Transformer(1, 20, 2, maximumTokens: 40), new FusionNetwork(2, 18, 3, 0.1)),
        };

    [TestMethod]
    [DataRow("two towers")]
    [DataRow("fusion")]
    public void ModelGivesTheEncodersNumbers(string name)
    {
        var mlContext = TestDevice.Context(1);
        var (images, texts, network) = Networks[name];
        var format = new ImageTextRowFormat(new ImageRowFormat("Image", images.WithNormalization(ImageNormalization.ImageNet), 255, loaded: false),
            new TextRowFormat(["Text"], s_tokenizer, texts), network);
        using var encoder = Exports.Untrained(mlContext, format);
        var random = new Random(1);
        var rows = ContractData.Rows(40).Select(row => new PairRow { Text = row.Text, Image = [.. Enumerable.Range(0, 3 * 16 * 16).Select(_ => (byte)random.Next(256))] });
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx"), mlContext.Data.LoadFromEnumerable(rows));
        Assert.IsLessThan(2e-5, result.LargestDifference, result.ToString());
        Assert.AreEqual("Image, input_ids, attention_mask", string.Join(", ", result.Inputs.Select(input => input.Name)));
        Assert.AreEqual($"Features Single[batch, {encoder.EmbeddingDimension}]", string.Join(", ", result.Outputs));
        Assert.IsLessThan(2e-5, mlContext.SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx")).LargestDifference);
    }

    private sealed class PairRow
    {
        [VectorType(3, 16, 16)]
        public byte[] Image { get; set; } = [];

        public string Text { get; set; } = "";
    }
}
