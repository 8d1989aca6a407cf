using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators;

namespace Ssl.MLNet.Onnx.Tests;

[TestClass]
public sealed class FineTunedExportTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly IDataView s_data = s_mlContext.Transforms.Conversion.MapValueToKey("Kind", "Work")
        .Append(s_mlContext.Transforms.CustomMapping<TableExportTests.Person, Target>((person, target) => target.Years = (float)person.Tenure.TotalDays + 40, null))
        .Fit(s_mlContext.Data.LoadFromEnumerable(TableExportTests.People(150))).Transform(s_mlContext.Data.LoadFromEnumerable(TableExportTests.People(150)));

    private static EncoderTransformer Encoder() => TableExportTests.Fit(s_mlContext, s_data, TableExportTests.Factories["MLP"], NumericScaling.Quantile, features: false);

    [TestMethod]
    [DataRow(FineTuningHead.Linear)]
    [DataRow(FineTuningHead.Mlp)]
    public void Multiclass(FineTuningHead head)
    {
        using var encoder = Encoder();
        using var model = s_mlContext.SelfSupervised().FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
        {
            Encoder = encoder, LabelColumnName = "Kind", Head = head, NumberOfEpochs = 2, Seed = 1,
        }).Fit(s_data);
        var path = Exports.File("model.onnx");
        var result = s_mlContext.SelfSupervised().ExportOnnx(model, path, s_data);
        Assert.IsLessThan(2e-5, result.LargestDifference, result.ToString());
        var predicted = model.Transform(s_data);
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        predicted.Schema["PredictedLabel"].GetKeyValues(ref names);
        string[] expected = [.. predicted.GetColumn<uint>("PredictedLabel").Select(key => names.GetItemOrDefault((int)key - 1).ToString())];
        Assert.AreSequenceEqual(expected, Labels<ReadOnlyMemory<char>>(path, "PredictedLabel").Select(label => label.ToString()).ToArray());
    }

    [TestMethod]
    public void Binary()
    {
        using var encoder = Encoder();
        using var model = s_mlContext.SelfSupervised().FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options { Encoder = encoder, NumberOfEpochs = 2, Seed = 1 }).Fit(s_data);
        var path = Exports.File("model.onnx");
        Assert.IsLessThan(2e-5, s_mlContext.SelfSupervised().ExportOnnx(model, path, s_data).LargestDifference);
        var predicted = model.Transform(s_data);
        Exports.AreClose([.. predicted.GetColumn<float>("Probability")], [.. Labels<float>(path, "Probability")], 1e-5);
        Assert.AreSequenceEqual(predicted.GetColumn<bool>("PredictedLabel").ToArray(), Labels<bool>(path, "PredictedLabel").ToArray());
    }

    [TestMethod]
    public void Regression()
    {
        using var encoder = Encoder();
        using var model = s_mlContext.SelfSupervised().FineTune.Regression(new RegressionFineTuningTrainer.Options { Encoder = encoder, LabelColumnName = "Years", NumberOfEpochs = 2, Seed = 1 }).Fit(s_data);
        var path = Exports.File("model.onnx");
        var result = s_mlContext.SelfSupervised().ExportOnnx(model, path, s_data);
        Assert.IsLessThan(1e-4, result.LargestDifference, result.ToString());
        Exports.AreClose([.. model.Transform(s_data).GetColumn<float>("Score")], [.. Labels<float>(path, "Score")], 1e-5);
    }

    // An output in ML.NET, row by row; a column of one is a vector there.
    private static IEnumerable<T> Labels<T>(string path, string name)
    {
        using var session = new InferenceSession(path);
        var prepared = TableExportTests.Prepared(s_mlContext, s_data);
        var onnx = s_mlContext.Transforms.ApplyOnnxModel([name], [.. session.InputNames], path).Fit(prepared).Transform(prepared);
        return onnx.GetColumn<VBuffer<T>>(name).Select(value => value.DenseValues().Single());
    }

    private sealed class Target
    {
        public float Years { get; set; }
    }
}
