using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.StandIns.Tests.MLNet;

namespace Ssl.StandIns.Tests.MLNetTrainers;

/// <summary>Metrics against the recorded facts.</summary>
[TestClass]
public sealed class EvaluatorTests
{
    private readonly MLContext _context = new(42);

    private sealed class Scored
    {
        [KeyType(3)]
        public uint Label { get; set; }

        [VectorType(3)]
        public float[]? Score { get; set; }

        [KeyType(3)]
        public uint PredictedLabel { get; set; }
    }

    private sealed class Judged
    {
        public bool Label { get; set; }
        public float Score { get; set; }
        public float Probability { get; set; }
        public bool PredictedLabel { get; set; }
    }

    private sealed class Number
    {
        public float Label { get; set; }
        public float Score { get; set; }
    }

    [TestMethod]
    public void Multiclass()
    {
        var rows = Golden.Of("10.multiclass fixture (CLR values of [KeyType(3)] are 0-based)")!.AsArray().Select(row => new Scored
        {
            Label = (uint)row!["Label"]!,
            Score = [.. row["Score"]!.AsArray().Select(value => (float)value!)],
            PredictedLabel = (uint)row["PredictedLabel"]!,
        });
        var metrics = _context.MulticlassClassification.Evaluate(_context.Data.LoadFromEnumerable(rows), topKPredictionCount: 2);
        Golden.CheckNear(
            "10.MulticlassClassification.Evaluate",
            new
            {
                metrics.LogLoss,
                metrics.LogLossReduction,
                metrics.MacroAccuracy,
                metrics.MicroAccuracy,
                metrics.TopKAccuracy,
                metrics.TopKPredictionCount,
                metrics.TopKAccuracyForAllK,
                metrics.PerClassLogLoss,
                ConfusionMatrix = Table(metrics.ConfusionMatrix),
            },
            1e-9);
        Assert.AreEqual(3, metrics.ConfusionMatrix.GetCountForClassPair(1, 2), "Class 2 was taken for class 1 three times");
        Assert.AreEqual(0, _context.MulticlassClassification.Evaluate(_context.Data.LoadFromEnumerable(rows)).TopKPredictionCount);
        _ = _context.MulticlassClassification.Evaluate(_context.Data.LoadFromEnumerable(Array.Empty<Scored>()));
    }

    [TestMethod]
    public void Binary()
    {
        var rows = Golden.Of("11.binary fixture")!.AsArray().Select(row => new Judged
        {
            Label = (bool)row!["Label"]!,
            Score = (float)row["Score"]!,
            Probability = (float)row["Probability"]!,
            PredictedLabel = (bool)row["PredictedLabel"]!,
        }).ToArray();
        var metrics = _context.BinaryClassification.Evaluate(_context.Data.LoadFromEnumerable(rows));
        var expected = (JsonObject)Golden.Of("11.BinaryClassification.Evaluate")!;
        var plain = Plain(metrics);
        plain["LogLoss"] = metrics.LogLoss;
        plain["LogLossReduction"] = metrics.LogLossReduction;
        plain["Entropy"] = metrics.Entropy;
        Assert.HasCount(plain.Count, expected);
        Golden.CheckNear("11.BinaryClassification.Evaluate", plain, 1e-9);
        Golden.CheckNear("11.BinaryClassification.EvaluateNonCalibrated",
            Plain(_context.BinaryClassification.EvaluateNonCalibrated(_context.Data.LoadFromEnumerable(rows))), 1e-9);
        var positives = _context.Data.LoadFromEnumerable(rows.Where(row => row.Label));
        Golden.CheckError("11.BinaryClassification.Evaluate one class only", () => _context.BinaryClassification.Evaluate(positives));
    }

    [TestMethod]
    public void RegressionAndAnomalies()
    {
        var numbers = Enumerable.Range(0, 10).Select(i => new Number { Label = i, Score = (i * 0.9f) + (((i % 3) - 1) * 0.5f) });
        var regression = _context.Regression.Evaluate(_context.Data.LoadFromEnumerable(numbers));
        Golden.CheckNear(
            "11.Regression.Evaluate (Label=i, Score=i*0.9f+(i%3-1)*0.5f, i<10)",
            new { regression.MeanAbsoluteError, regression.MeanSquaredError, regression.RootMeanSquaredError, regression.LossFunction,
                regression.RSquared },
            1e-9);
        var anomalies = Enumerable.Range(0, 20).Select(i => new Judged { Label = i % 5 == 0, Score = i * 7 % 20 / 20f });
        var detection = _context.AnomalyDetection.Evaluate(_context.Data.LoadFromEnumerable(anomalies), falsePositiveCount: 10);
        Golden.CheckNear(
            "11.AnomalyDetection.Evaluate (Label=i%5==0, Score=i*7%20/20f, i<20, falsePositiveCount 10)",
            new { detection.AreaUnderRocCurve, detection.DetectionRateAtFalsePositiveCount },
            1e-9);
    }

    [TestMethod]
    public void ErrorsNameTheColumn()
    {
        var data = Row.Data(_context);
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _context.Regression.Evaluate(data, "A", "Scores"));
        StringAssert.Contains(error.Message, "Scores");
    }

    private static object Table(ConfusionMatrix matrix) => new
    {
        matrix.PerClassPrecision,
        matrix.PerClassRecall,
        matrix.Counts,
        matrix.NumberOfClasses,
        Text = matrix.GetFormattedConfusionTable().ReplaceLineEndings("\n"),
    };

    private static Dictionary<string, object?> Plain(BinaryClassificationMetrics metrics) => new()
    {
        ["AreaUnderRocCurve"] = metrics.AreaUnderRocCurve,
        ["Accuracy"] = metrics.Accuracy,
        ["PositivePrecision"] = metrics.PositivePrecision,
        ["PositiveRecall"] = metrics.PositiveRecall,
        ["NegativePrecision"] = metrics.NegativePrecision,
        ["NegativeRecall"] = metrics.NegativeRecall,
        ["F1Score"] = metrics.F1Score,
        ["AreaUnderPrecisionRecallCurve"] = metrics.AreaUnderPrecisionRecallCurve,
        ["ConfusionMatrix"] = Table(metrics.ConfusionMatrix),
    };
}
