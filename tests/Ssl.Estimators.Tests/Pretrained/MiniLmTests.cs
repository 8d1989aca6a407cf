using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Weights from the ONNX file in a package's assembly give what ONNX Runtime gives.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class MiniLmTests
{
    private static EncoderTransformer s_encoder = null!;
    private static readonly MLContext s_mlContext = TestDevice.Context(1);

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

    [TestMethod]
    public void LongTextsAndLoneOnesAreThoseOfOnnxRuntime()
    {
        var sentences = MiniLm.Texts("ag-news", "test.tsv.gz", 2, 60);
        string[] texts = [.. Enumerable.Range(1, 8).Select(i => string.Join(' ', sentences.Take(i * i - i + 1)))];
        using var theirs = new MiniLm();
        var tokenizer = ((TextRowFormat)s_encoder.Model.Format).Tokenizer;
        var together = Embed(s_encoder, texts);
        for (var i = 0; i < texts.Length; i++)
        {
            var expected = theirs.Embed(tokenizer.Encode(texts[i], 512, addSpecialTokens: true));
            var alone = Embed(s_encoder, texts[i..(i + 1)])[0];
            for (var d = 0; d < MiniLm.Dimension; d++)
            {
                Assert.AreEqual(expected[d], together[i][d], 1e-5f);
                Assert.AreEqual(expected[d], alone[d], 1e-5f);
            }
        }
    }

    [TestMethod]
    public void AnOnnxFileAFolderAndStreamsGiveTheSame()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-onnx-").FullName;
        try
        {
            var model = MiniLm.Resource("model.onnx");
            Directory.CreateDirectory(Path.Combine(folder, "onnx"));
            var path = Path.Combine(folder, "onnx", "model.onnx");
            File.WriteAllBytes(path, model);
            File.WriteAllBytes(Path.Combine(folder, "vocab.txt"), MiniLm.Resource("vocab.txt"));
            string[] texts = ["a file", "Ströme, $5!"];
            var expected = Embed(s_encoder, texts);
            var ssl = s_mlContext.SelfSupervised();
            foreach (var load in new Func<EncoderTransformer>[]
            {
                () => ssl.LoadPretrained(path), () => ssl.LoadPretrained(folder),
                () => ssl.LoadPretrained(new MemoryStream(model), new MemoryStream(MiniLm.Resource("vocab.txt"))),
            })
            {
                using var encoder = load();
                var actual = Embed(encoder, texts);
                for (var i = 0; i < texts.Length; i++)
                    CollectionAssert.AreEqual(expected[i], actual[i]);
            }
            File.WriteAllBytes(path, model[..(model.Length / 2)]);
            StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => ssl.LoadPretrained(path)).Message, path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
