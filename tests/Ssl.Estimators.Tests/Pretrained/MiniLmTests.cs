using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Transformers;
using Ssl.MLNet;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Weights from the ONNX file in a package's assembly give what ONNX Runtime gives.</summary>
[TestClass]
public sealed class MiniLmTests
{
    private static EncoderTransformer s_encoder = null!;
    private static readonly MLContext s_mlContext = new(seed: 1);

    [ClassInitialize]
    public static void Load(TestContext context) => s_encoder = s_mlContext.SelfSupervised().LoadPretrained(MiniLm.Package);

    [ClassCleanup]
    public static void Free() => s_encoder.Dispose();

    [TestMethod]
    public void EmbedsThousandTextsAsOnnxRuntimeDoes()
    {
        string[] texts = [.. MiniLm.Texts("clinc150", "test.tsv.gz", 1, 500), .. MiniLm.Texts("ag-news", "test.tsv.gz", 2, 500)];
        var ours = Embed(s_encoder, texts);
        using var theirs = new MiniLm();
        var tokenizer = ((TextRowFormat)s_encoder.Model.Format).Tokenizer;
        var worst = 0f;
        for (var i = 0; i < texts.Length; i++)
        {
            var expected = theirs.Embed(tokenizer.Encode(texts[i], 512, addSpecialTokens: true));
            for (var d = 0; d < MiniLm.Dimension; d++)
                worst = Math.Max(worst, Math.Abs(expected[d] - ours[i][d]));
        }
        Console.WriteLine($"largest difference {worst:g3}");
        Assert.IsLessThanOrEqualTo(1e-5f, worst);
    }

    internal static float[][] Embed(EncoderTransformer encoder, IEnumerable<string> texts)
    {
        var data = encoder.Transform(s_mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text })));
        return [.. data.GetColumn<float[]>(encoder.OutputColumnName)];
    }

    internal sealed class TextRow
    {
        public string Text { get; set; } = "";
    }
}
