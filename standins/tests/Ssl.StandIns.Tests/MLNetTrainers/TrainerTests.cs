using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Ssl.StandIns.Tests.MLNet;

namespace Ssl.StandIns.Tests.MLNetTrainers;

/// <summary>Trainers against the recorded facts.</summary>
[TestClass]
public sealed class TrainerTests
{
    private readonly MLContext _context = new(42);

    private sealed class Point
    {
        [VectorType(2)]
        public float[]? F { get; set; }
        public string? Label { get; set; }
        public bool Bin { get; set; }
    }

    // A and B of the table, scaled into [-1, 1].
    private IDataView Scaled => _context.Data.LoadFromEnumerable(Row.Fixture().Select(row => new Point { F = [row.A / 3.5f, row.B / 12f], Label = row.Label, Bin = row.Bin }));

    [TestMethod]
    public void MaximumEntropy()
    {
        var data = _context.Transforms.Conversion.MapValueToKey("Label").Fit(Scaled).Transform(Scaled);
        var model = _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "F").Fit(data);
        VBuffer<float>[]? weights = null;
        model.Model.GetWeights(ref weights, out var classes);
        Assert.AreEqual(3, classes);
        Golden.CheckNear(
            "12.LbfgsMaximumEntropy(defaults) weights/biases",
            new { W = weights.Select(row => row.DenseValues()), B = model.Model.GetBiases() },
            1e-5);
        var scored = model.Transform(data);
        Golden.CheckNear("12.LbfgsMaximumEntropy scores rows 0-2", scored.GetColumn<float[]>("Score").Take(3), 1e-5);
        Golden.Check("12.LbfgsMaximumEntropy score schema", Golden.Schema(_context.Transforms.SelectColumns("PredictedLabel", "Score").Fit(scored).Transform(scored).Schema));
    }

    [TestMethod]
    public void LogisticRegression()
    {
        var model = _context.BinaryClassification.Trainers.LbfgsLogisticRegression("Bin", "F").Fit(Scaled).Model;
        Golden.CheckNear("12.LbfgsLogisticRegression(defaults) weights/bias", new { W = model.SubModel.Weights, model.SubModel.Bias }, 1e-5);
        Assert.AreEqual(0.5f, model.Calibrator.PredictProbability(0));
    }
}
