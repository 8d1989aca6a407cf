using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;
using Ssl.Estimators.Serialization.Onnx;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class FewLabelsExportTests
{
    private const int Slots = 5, Labeled = 60;

    private static readonly MLContext s_mlContext = TestDevice.Context(1);

    public sealed class Row
    {
        [VectorType(Slots)]
        public float[] Features { get; set; } = [];

        public string Class { get; set; } = "";

        public bool Label { get; set; }

        public float Value { get; set; }

        public string Text { get; set; } = "";
    }

    // Three clouds, of which two lie where a line does not part them: trees have something to say.
    private static Row[] Clouds(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            float[] features = [.. Enumerable.Range(0, Slots).Select(_ => (float)(random.NextDouble() + random.NextDouble() - 1))];
            var isFar = Math.Abs(features[0]) > 0.4;
            return new Row
            {
                Features = features, Class = isFar ? "far" : features[1] > 0 ? "near, above" : "near, below", Label = isFar, Value = 100 + 3 * features[0] * features[0] - features[2],
                Text = string.Join(' ', Enumerable.Range(0, 8).Select(_ => $"{(char)('a' + random.Next(20))}{(char)('a' + i % 3)}")),
            };
        })];
    }

    private static IDataView View(IEnumerable<Row> rows)
    {
        var view = s_mlContext.Data.LoadFromEnumerable(rows);
        return s_mlContext.Transforms.Conversion.MapValueToKey("Kind", nameof(Row.Class)).Fit(view).Transform(view);
    }

    private static FewLabelsTrainer.Options Options(string label, FewLabelsTrainer.Usage trees) => new()
    {
        LabelColumnName = label, Trees = trees, SelfTraining = FewLabelsTrainer.Usage.Never, Adaptation = FewLabelsTrainer.Usage.Never, NumberOfFolds = 2, Seed = 1,
        MaximumTrainingTime = null,
    };

    [TestMethod]
    [DataRow(FewLabelsTrainer.Usage.Never)]
    [DataRow(FewLabelsTrainer.Usage.Always)]
    public void Classes(FewLabelsTrainer.Usage trees)
    {
        var data = View(Clouds(Labeled, 1));
        using var model = s_mlContext.SelfSupervised().FewLabels.MulticlassClassification(Options("Kind", trees)).Fit(data);
        var path = Exports.File("model.onnx");
        var result = s_mlContext.SelfSupervised().ExportOnnx(model, path, data);
        Assert.IsLessThan(1e-5, result.LargestDifference, result.ToString());
        Assert.AreEqual(Labeled, result.CheckedRows);
        Assert.AreEqual("Features Single[batch, 5]", result.Inputs.Single().ToString());
        Assert.AreEqual(trees == FewLabelsTrainer.Usage.Always, Operators(path).Contains("TreeEnsembleRegressor"));

        var rows = Clouds(40, 2);
        rows[3].Features[1] = float.NaN;
        rows[5].Features[4] = float.NegativeInfinity;
        var predicted = model.Transform(View(rows));
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        predicted.Schema["PredictedLabel"].GetKeyValues(ref names);
        string[] expected = [.. predicted.GetColumn<uint>("PredictedLabel").Select(key => key == 0 ? "" : names.GetItemOrDefault((int)key - 1).ToString())];
        using var session = new InferenceSession(path);
        using var outputs = Run(session, rows);
        Assert.AreSequenceEqual(expected, outputs[0].GetStringTensorAsArray());
        Assert.AreEqual("", expected[3]);
        float[] scores = [.. predicted.GetColumn<float[]>("Score").SelectMany(score => score)], actual = outputs[1].GetTensorDataAsSpan<float>().ToArray();
        for (var i = 0; i < scores.Length; i++)
            Assert.IsTrue(float.IsNaN(scores[i]) ? float.IsNaN(actual[i]) : Math.Abs(scores[i] - actual[i]) < 1e-5, $"{scores[i]}, {actual[i]}");
    }

    [TestMethod]
    [DataRow(FewLabelsTrainer.Usage.Never)]
    [DataRow(FewLabelsTrainer.Usage.Always)]
    public void YesOrNo(FewLabelsTrainer.Usage trees)
    {
        var rows = Clouds(Labeled, 1);
        using var model = s_mlContext.SelfSupervised().FewLabels.BinaryClassification(Options("Label", trees)).Fit(View(rows));
        var path = Exports.File("model.onnx");
        var result = s_mlContext.SelfSupervised().ExportOnnx(model, path);
        Assert.IsLessThan(1e-4, result.LargestDifference, result.ToString());
        var predicted = model.Transform(View(rows));
        using var session = new InferenceSession(path);
        using var outputs = Run(session, rows);
        Assert.AreSequenceEqual(predicted.GetColumn<bool>("PredictedLabel").ToArray(), outputs[0].GetTensorDataAsSpan<bool>().ToArray());
        Exports.AreClose([.. predicted.GetColumn<float>("Score")], outputs[1].GetTensorDataAsSpan<float>().ToArray(), 1e-4);
        Exports.AreClose([.. predicted.GetColumn<float>("Probability")], outputs[2].GetTensorDataAsSpan<float>().ToArray(), 1e-5);
    }

    [TestMethod]
    [DataRow(FewLabelsTrainer.Usage.Never)]
    [DataRow(FewLabelsTrainer.Usage.Always)]
    public void Values(FewLabelsTrainer.Usage trees)
    {
        var rows = Clouds(Labeled, 1);
        using var model = s_mlContext.SelfSupervised().FewLabels.Regression(Options("Value", trees)).Fit(View(rows));
        var path = Exports.File("model.onnx");
        s_mlContext.SelfSupervised().ExportOnnx(model, path, View(rows));
        using var session = new InferenceSession(path);
        using var outputs = Run(session, rows);
        Exports.AreClose([.. model.Transform(View(rows)).GetColumn<float>("Score")], outputs[0].GetTensorDataAsSpan<float>().ToArray(), 1e-5);
    }

    // The encoder of the column, its copy that was adapted, and what tells the words, are in one file that takes the text alone.
    [TestMethod]
    [DataRow(FewLabelsTrainer.Usage.Always, FewLabelsTrainer.Usage.Never)]
    [DataRow(FewLabelsTrainer.Usage.Never, FewLabelsTrainer.Usage.Always)]
    [DataRow(FewLabelsTrainer.Usage.Always, FewLabelsTrainer.Usage.Always)]
    public void TheEncodersAreInTheFile(FewLabelsTrainer.Usage adaptation, FewLabelsTrainer.Usage plain)
    {
        var rows = Clouds(Labeled, 1);
        using var encoder = s_mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            InputColumnName = nameof(Row.Text), OutputColumnName = "Embedding", Encoder = TextEncoders.Bag(8), NumberOfEpochs = 0, Seed = 1,
        }).Fit(View(rows));
        var embedded = encoder.Transform(View(rows));
        var options = Options("Kind", FewLabelsTrainer.Usage.Never);
        (options.FeatureColumnName, options.Adaptation, options.PlainFeatures) = ("Embedding", adaptation, plain);
        using var model = s_mlContext.SelfSupervised().FewLabels.MulticlassClassification(options).Fit(embedded);
        Assert.HasCount(1, model.EncodedColumnNames);
        float[] expected = [.. model.Transform(embedded).GetColumn<float[]>("Score").SelectMany(score => score)];
        var ssl = s_mlContext.SelfSupervised();

        var whole = ssl.ExportOnnx(model, Exports.File("model.onnx"), View(rows), encoder);
        Assert.AreEqual("input_ids, attention_mask", string.Join(", ", whole.Inputs.Select(input => input.Name)));
        Assert.IsLessThan(1e-5, whole.LargestDifference, whole.ToString());
        Assert.HasCount(1, whole.Files);
        // Without the encoder its vectors are an input beside the tokens for the copy.
        var head = ssl.ExportOnnx(model, Exports.File("model.onnx"), embedded);
        Assert.AreSequenceEqual((string[])["Embedding", "attention_mask", "input_ids"], head.Inputs.Select(input => input.Name).Order(StringComparer.Ordinal).ToArray());
        Assert.IsLessThan(1e-5, head.LargestDifference, head.ToString());
        Assert.AreEqual(expected.Length, 3 * head.CheckedRows);

        using var other = s_mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            InputColumnName = nameof(Row.Text), OutputColumnName = "Other", Encoder = TextEncoders.Bag(8), NumberOfEpochs = 0,
        }).Fit(View(rows));
        var fault = Assert.ThrowsExactly<ArgumentException>(() => ssl.ExportOnnx(model, Exports.File("model.onnx"), null, other));
        Assert.StartsWith("The encoder makes the column 'Other' of ", fault.Message);
        Assert.Contains("the model was fitted on 'Embedding' of ", fault.Message);
        Assert.Contains("'Embedding'", Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => ssl.ExportOnnx(model, Exports.File("model.onnx"), View(rows))).Message);
    }

    public sealed class Wave
    {
        public float[] Series { get; set; } = [];

        public string Class { get; set; } = "";
    }

    // Trees on the values stand behind the embedding in the row.
    [TestMethod]
    public void TreesOnTheValuesOfSeriesAreInTheFile()
    {
        var random = new Random(1);
        Wave[] rows = [.. Enumerable.Range(0, Labeled).Select(i => new Wave
        {
            Class = i % 2 == 0 ? "high" : "low", Series = [.. Enumerable.Range(0, 20 + random.Next(20)).Select(t => (float)(random.NextDouble() + (t < 10 ? i % 2 : 0)))],
        })];
        var ssl = s_mlContext.SelfSupervised();
        using var encoder = ssl.TimeSeries.Ts2Vec(new Ts2VecTrainer.Options
        {
            InputColumnName = nameof(Wave.Series), OutputColumnName = "Embedding", Encoder = TimeSeriesEncoders.DilatedConvolution(6, 4, depth: 2), NumberOfEpochs = 0, Seed = 1,
        }).Fit(s_mlContext.Data.LoadFromEnumerable(rows));
        var view = encoder.Transform(s_mlContext.Data.LoadFromEnumerable(rows));
        var keyed = s_mlContext.Transforms.Conversion.MapValueToKey("Kind", nameof(Wave.Class)).Fit(view).Transform(view);
        var options = Options("Kind", FewLabelsTrainer.Usage.Always);
        (options.FeatureColumnName, options.PlainFeatures) = ("Embedding", FewLabelsTrainer.Usage.Always);
        using var model = ssl.FewLabels.MulticlassClassification(options).Fit(keyed);
        var path = Exports.File("model.onnx");
        var result = ssl.ExportOnnx(model, path, s_mlContext.Data.LoadFromEnumerable(rows), encoder);
        Assert.IsLessThan(1e-4, result.LargestDifference, result.ToString());
        Assert.IsTrue(Operators(path).Contains("TreeEnsembleRegressor"));
        Assert.AreSequenceEqual((string[])["Series", "Series_length"], result.Inputs.Select(input => input.Name).ToArray());
    }

    private static IDisposableReadOnlyCollection<OrtValue> Run(InferenceSession session, Row[] rows)
    {
        using var options = new RunOptions();
        using var features = OrtValue.CreateTensorValueFromMemory([.. rows.SelectMany(row => row.Features)], [rows.Length, Slots]);
        return session.Run(options, new Dictionary<string, OrtValue> { ["Features"] = features }, session.OutputNames);
    }

    private static HashSet<string> Operators(string path)
        => [.. ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node.Select(node => node.OpType)];
}
