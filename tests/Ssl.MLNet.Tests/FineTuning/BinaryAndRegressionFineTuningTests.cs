using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Tests.FineTuning;

[TestClass]
public sealed class BinaryAndRegressionFineTuningTests
{
    private static IEstimator<ITransformer> BinaryChain(MLContext mlContext) => FineTuningData.Pretrainer(mlContext)
        .Append(mlContext.SelfSupervised().FineTune.BinaryClassification("Answer", numberOfEpochs: 8, learningRate: 0.01));

    private static IEstimator<ITransformer> RegressionChain(MLContext mlContext) => FineTuningData.Pretrainer(mlContext)
        .Append(mlContext.SelfSupervised().FineTune.Regression("Number", numberOfEpochs: 12, learningRate: 0.01));

    [TestMethod]
    public void Binary_columns_evaluate_and_survive_saving()
    {
        var mlContext = TestDevice.Context(1);
        var data = FineTuningData.View(mlContext);
        var model = BinaryChain(mlContext).Fit(data);
        var scored = model.Transform(data);
        Assert.IsInstanceOfType<BooleanDataViewType>(scored.Schema["PredictedLabel"].Type);
        var metrics = mlContext.BinaryClassification.Evaluate(scored, "Answer");
        Assert.IsGreaterThan(0.9, metrics.Accuracy);
        Assert.IsGreaterThan(0.95, metrics.AreaUnderRocCurve);
        float[] scores = [.. scored.GetColumn<float>("Score")], probabilities = [.. scored.GetColumn<float>("Probability")];
        for (var i = 0; i < scores.Length; i++)
            Assert.AreEqual(1 / (1 + MathF.Exp(-scores[i])), probabilities[i], 1e-5f);

        using var file = new MemoryStream();
        mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = mlContext.Model.Load(file, out _).Transform(data);
        AssertClose(scores, [.. loaded.GetColumn<float>("Score")], 0);
        AssertClose(probabilities, [.. loaded.GetColumn<float>("Probability")], 0);
        CollectionAssert.AreEqual(scored.GetColumn<bool>("PredictedLabel").ToArray(), loaded.GetColumn<bool>("PredictedLabel").ToArray());
        Assert.IsTrue(mlContext.BinaryClassification.CrossValidate(data, BinaryChain(mlContext), 2, "Answer")
            .All(f => f.Metrics.Accuracy > 0.7));
    }

    [TestMethod]
    public void Binary_columns_are_those_of_a_stock_trainer()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var data = encoder.Transform(FineTuningData.View(mlContext));
        using var model = mlContext.SelfSupervised().FineTune.BinaryClassification(encoder, "Answer", numberOfEpochs: 1).Fit(data);
        var stock = mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression("Answer").Fit(data);
        foreach (var column in stock.GetOutputSchema(data.Schema))
        {
            var ours = model.GetOutputSchema(data.Schema)[column.Name];
            Assert.AreEqual(column.Type, ours.Type, column.Name);
            CollectionAssert.AreEquivalent(column.Annotations.Schema.Select(a => a.Name).ToArray(),
                ours.Annotations.Schema.Select(a => a.Name).ToArray(), column.Name);
        }
    }

    [TestMethod]
    public void Regression_evaluates_and_survives_saving()
    {
        var mlContext = TestDevice.Context(1);
        var data = FineTuningData.View(mlContext);
        var model = RegressionChain(mlContext).Fit(data);
        var scored = model.Transform(data);
        Assert.IsGreaterThan(0.7, mlContext.Regression.Evaluate(scored, "Number").RSquared);
        using var file = new MemoryStream();
        mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        AssertClose([.. scored.GetColumn<float>("Score")],
            [.. mlContext.Model.Load(file, out _).Transform(data).GetColumn<float>("Score")], 0);
        Assert.HasCount(2, mlContext.Regression.CrossValidate(data, RegressionChain(mlContext), 2, "Number"));
    }

    [TestMethod]
    public void Rows_whose_number_is_NaN_are_left_out_and_said()
    {
        var warnings = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => { if (e.Message.Contains("left out", StringComparison.Ordinal)) warnings.Add(e.Message); };
        using var encoder = FineTuningData.Encoder(mlContext);
        var rows = FineTuningData.Rows(40);
        rows[3].Number = float.NaN;
        rows[4].Number = float.PositiveInfinity;
        var trainer = mlContext.SelfSupervised().FineTune.Regression(encoder, "Number", numberOfEpochs: 1);
        using var model = trainer.Fit(mlContext.Data.LoadFromEnumerable(rows));
        Assert.IsTrue(model.Transform(mlContext.Data.LoadFromEnumerable(rows)).GetColumn<float>("Score").All(float.IsFinite));
        Assert.IsTrue(warnings.Any(w => w.Contains("2 of 40 rows are left out", StringComparison.Ordinal)));

        foreach (var row in rows)
            row.Number = float.NaN;
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => trainer.Fit(mlContext.Data.LoadFromEnumerable(rows)));
        StringAssert.Contains(error.Message, "All 40 rows lack a text or a label");
    }

    private static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], actual[i], tolerance, $"row {i}");
    }
}
