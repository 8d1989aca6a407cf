using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers.LightGbm;
using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Tasks.FewLabels;

[TestClass]
public sealed class TreeEnsembleTests
{
    private const int Rows = 300;
    private static readonly TreeSettings s_settings = new(8, 5, 20, 0.1);

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint Label { get; set; }

        public float Value { get; set; }
    }

    private static (float[][] Features, float[] Classes, float[] Values) Data()
    {
        var random = new Random(2);
        float[][] features = [.. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, 4).Select(_ => random.NextSingle()).ToArray())];
        return (features, [.. features.Select(f => f[0] > 0.5 ? (f[1] > 0.4 ? 2f : 1) : 0)], [.. features.Select(f => f[0] * 3 + f[2] * f[3])]);
    }

    /// <summary>The arrays give the probabilities that ML.NET gives for the same trees, after the sharpness it applies.</summary>
    [TestMethod]
    public void Classes_are_scored_as_ML_NET_does()
    {
        var (features, classes, _) = Data();
        var mlContext = TestDevice.Context(0);
        var view = mlContext.Data.LoadFromEnumerable(features.Select((f, i) => new Row { Features = f, Label = (uint)classes[i] }));
        var theirs = mlContext.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options
        {
            UseSoftmax = true, NumberOfLeaves = s_settings.Leaves, MinimumExampleCountPerLeaf = s_settings.RowsPerLeaf,
            NumberOfIterations = s_settings.Rounds, LearningRate = s_settings.LearningRate, Deterministic = true, Seed = 0,
        }).Fit(view).Transform(view).GetColumn<float[]>("Score").ToArray();
        var ours = TreeEnsemble.Fit(mlContext, features, classes, 3, s_settings);
        Assert.AreEqual(3, ours.Outputs);
        var outputs = new double[3];
        for (var i = 0; i < Rows; i++)
        {
            ours.Score(features[i], outputs);
            // ML.NET's order of the classes and the odds between them.
            Assert.AreEqual(Array.IndexOf(theirs[i], theirs[i].Max()), Array.IndexOf(outputs, outputs.Max()), $"row {i}");
        }
        // Odds of two classes differ by one factor in all rows: the sharpness.
        var ratios = Enumerable.Range(0, Rows).Where(i => Math.Abs(Math.Log(theirs[i][0] / theirs[i][1])) > 0.5).Select(i =>
        {
            ours.Score(features[i], outputs);
            return (outputs[0] - outputs[1]) / Math.Log(theirs[i][0] / theirs[i][1]);
        }).ToArray();
        Assert.IsGreaterThan(100, ratios.Length);
        Assert.AreEqual(ratios[0], ratios.Min(), 0.01 * ratios[0]);
        Assert.AreEqual(ratios[0], ratios.Max(), 0.01 * ratios[0]);
    }

    [TestMethod]
    public void Values_are_scored_as_ML_NET_does_and_survive_an_archive()
    {
        var (features, _, values) = Data();
        var mlContext = TestDevice.Context(0);
        var view = mlContext.Data.LoadFromEnumerable(features.Select((f, i) => new Row { Features = f, Value = values[i] }));
        var theirs = mlContext.Regression.Trainers.LightGbm(new LightGbmRegressionTrainer.Options
        {
            LabelColumnName = "Value", NumberOfLeaves = s_settings.Leaves, MinimumExampleCountPerLeaf = s_settings.RowsPerLeaf,
            NumberOfIterations = s_settings.Rounds, LearningRate = s_settings.LearningRate, Deterministic = true, Seed = 0,
        }).Fit(view).Transform(view).GetColumn<float>("Score").ToArray();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        TreeEnsemble.Fit(mlContext, features, values, 0, s_settings).AddTo(tensors);
        var ours = TreeEnsemble.Read(tensors)!;
        var output = new double[1];
        for (var i = 0; i < Rows; i++)
        {
            ours.Score(features[i], output);
            Assert.AreEqual(theirs[i], output[0], 1e-5, $"row {i}");
        }
    }

    [TestMethod]
    [DataRow("trees.left", 0)]
    [DataRow("trees.right", -500)]
    [DataRow("trees.outputs", 7)]
    [DataRow("trees.first_nodes", 3)]
    public void Arrays_that_are_no_trees_are_refused(string name, int value)
    {
        var (features, _, values) = Data();
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>();
        TreeEnsemble.Fit(TestDevice.Context(0), features, values, 0, s_settings).AddTo(tensors);
        tensors[name][0] = value;
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => TreeEnsemble.Read(tensors)).Message, "do not fit together");
    }
}
