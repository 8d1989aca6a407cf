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

    private IDataView Scaled => Features.Fit(Row.Data(_context)).Transform(Row.Data(_context));

    private IEstimator<ITransformer> Features => _context.Transforms.NormalizeMinMax("AN", "A")
        .Append(_context.Transforms.NormalizeMinMax("BN", "B"))
        .Append(_context.Transforms.Concatenate("F", "AN", "BN"))
        .Append(_context.Transforms.Conversion.MapValueToKey("K", "Label"));

    [TestMethod]
    public void MaximumEntropy()
    {
        var model = _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("K", "F").Fit(Scaled);
        VBuffer<float>[]? weights = null;
        model.Model.GetWeights(ref weights, out var classes);
        Assert.AreEqual(3, classes);
        Golden.CheckNear(
            "12.LbfgsMaximumEntropy(defaults) weights/biases",
            new { W = weights.Select(row => row.DenseValues()), B = model.Model.GetBiases() },
            5e-5); // sums of floats in another order, and the optimiser stops near the optimum only
        var scored = model.Transform(Scaled);
        Golden.CheckNear("12.LbfgsMaximumEntropy scores rows 0-2", scored.GetColumn<float[]>("Score").Take(3), 2e-5);
        Golden.Check("12.LbfgsMaximumEntropy score schema",
            Golden.Schema(_context.Transforms.SelectColumns("PredictedLabel", "Score").Fit(scored).Transform(scored).Schema));
        var predicted = scored.GetColumn<float[]>("Score").Select(scores => (uint)Array.IndexOf(scores, scores.Max()) + 1).ToArray();
        CollectionAssert.AreEqual(predicted, scored.GetColumn<uint>("PredictedLabel").ToArray());
    }

    [TestMethod]
    public void ASavedModelScoresTheSame()
    {
        var chain = Features
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("K", "F"))
            .Append(_context.Transforms.Conversion.MapKeyToValue("Guess", "PredictedLabel"));
        var data = Row.Data(_context);
        var model = chain.Fit(data);
        var stream = new MemoryStream();
        _context.Model.Save(model, data.Schema, stream);
        stream.Position = 0;
        var loaded = new MLContext().Model.Load(stream, out _);
        var (before, after) = (model.Transform(data), loaded.Transform(data));
        CollectionAssert.AreEqual(before.GetColumn<string>("Guess").ToArray(), after.GetColumn<string>("Guess").ToArray());
        CollectionAssert.AreEqual(before.GetColumn<float[]>("Score").SelectMany(row => row).ToArray(),
            after.GetColumn<float[]>("Score").SelectMany(row => row).ToArray());
        CollectionAssert.AreEqual(
            before.Schema.Select(column => column.ToString()).ToArray(), after.Schema.Select(column => column.ToString()).ToArray());
        Assert.IsInstanceOfType<MulticlassPredictionTransformer<MaximumEntropyModelParameters>>(
            ((IEnumerable<ITransformer>)loaded).ElementAt(1));
    }

    [TestMethod]
    public void SparseAndDenseRowsGiveTheSameModel()
    {
        // Few of 40 slots are set: such rows are kept sparsely.
        var random = new Random(1);
        var rows = Enumerable.Range(0, 600).Select(i =>
        {
            var values = new float[40];
            values[i % 4] = 1;
            for (var j = 0; j < 3; j++)
            {
                values[4 + random.Next(36)] = (float)random.NextDouble();
            }

            return new Wide { F = values, Label = $"C{i % 4}", Weight = 1 };
        }).ToArray();
        var sparse = Weights(_context.Data.LoadFromEnumerable(rows));
        CollectionAssert.AreEqual(sparse, Weights(_context.Data.LoadFromEnumerable(rows)), "Training is repeatable");
        CollectionAssert.AreEqual(sparse, Weights(_context.Data.LoadFromEnumerable(rows), "Weight"), "Weights of 1 change nothing");

        // Tiny values everywhere make the same matrix dense.
        foreach (var row in rows)
        {
            row.F = [.. row.F!.Select(value => value == 0 ? 1e-20f : value)];
        }

        var dense = Weights(_context.Data.LoadFromEnumerable(rows));
        for (var i = 0; i < sparse.Length; i++)
        {
            Assert.AreEqual(sparse[i], dense[i], 2e-3);
        }

        Assert.IsTrue(Enumerable.Range(0, 4).All(i => sparse[(i * 40) + i] > 1), "The slots that give the label away are found");
    }

    [TestMethod]
    public void LogisticRegression()
    {
        var model = _context.BinaryClassification.Trainers.LbfgsLogisticRegression("Bin", "F").Fit(Scaled);
        Golden.CheckNear(
            "12.LbfgsLogisticRegression(defaults) weights/bias", new { W = model.Model.SubModel.Weights, model.Model.SubModel.Bias }, 1e-5);
        Assert.AreEqual(0.5f, model.Model.Calibrator.PredictProbability(0));
        var scored = model.Transform(Scaled);
        var scores = scored.GetColumn<float>("Score").ToArray();
        CollectionAssert.AreEqual(scores.Select(score => score > 0).ToArray(), scored.GetColumn<bool>("PredictedLabel").ToArray());
        Assert.AreEqual(1 / (1 + Math.Exp(-scores[0])), scored.GetColumn<float>("Probability").First(), 1e-6);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void LinearRegression(bool sparse)
    {
        // y = 3 + 2 a - b, without noise; sparse: most rows have only one slot of many.
        var random = new Random(2);
        var rows = Enumerable.Range(0, 2000).Select(i =>
        {
            var values = new float[40];
            for (var j = 0; j < (sparse ? 1 : 40); j++)
            {
                values[sparse ? random.Next(3) : j] = (float)random.NextDouble();
            }

            return new Wide { F = values, Weight = 3 + (2 * values[0]) - values[1] };
        });
        var data = _context.Data.LoadFromEnumerable(rows);
        var model = _context.Regression.Trainers.Sdca(new SdcaRegressionTrainer.Options
        {
            LabelColumnName = "Weight",
            FeatureColumnName = "F",
            L2Regularization = 1e-5f,
            ConvergenceTolerance = 1e-3f,
            MaximumNumberOfIterations = 300,
        }).Fit(data);
        Assert.AreEqual(3, model.Model.Bias, 0.02);
        Assert.AreEqual(2, model.Model.Weights[0], 0.02);
        Assert.AreEqual(-1, model.Model.Weights[1], 0.02);
        Assert.AreEqual(0, model.Model.Weights[5], 0.02);
        var stream = new MemoryStream();
        _context.Model.Save(model, data.Schema, stream);
        stream.Position = 0;
        var metrics = _context.Regression.Evaluate(_context.Model.Load(stream, out _).Transform(data), "Weight");
        Assert.IsTrue(metrics.RSquared > 0.999);
        var strict = _context.Regression.Trainers.Sdca("Weight", "F", l2Regularization: 0.01f, l1Regularization: 0.05f).Fit(data);
        Assert.AreEqual(0f, strict.Model.Weights[5], "An L1 weight selects slots");
        Assert.IsTrue(strict.Model.Weights[0] is > 0.1f and < 2);
    }

    [TestMethod]
    public void KMeans()
    {
        var model = _context.Clustering.Trainers.KMeans("F", numberOfClusters: 3).Fit(Scaled);
        VBuffer<float>[]? centroids = null;
        model.Model.GetClusterCentroids(ref centroids, out var count);
        Assert.AreEqual(3, count);
        var scored = model.Transform(Scaled);
        var fact = Golden.Of("12.KMeans(F,k=3,MLContext 42) centroids / predicted")!;

        // Which local optimum is reached depends on the random start: it must be one. Each centroid is the mean of the rows nearest to it.
        var rows = scored.GetColumn<float[]>("F").Zip(scored.GetColumn<uint>("PredictedLabel"), scored.GetColumn<float[]>("Score"))
            .ToArray();
        foreach (var (features, cluster, distances) in rows)
        {
            Assert.AreEqual(distances.Min(), distances[cluster - 1]);
            var centroid = centroids![cluster - 1].DenseValues().ToArray();
            Assert.AreEqual(Math.Pow(features[0] - centroid[0], 2) + Math.Pow(features[1] - centroid[1], 2), distances[cluster - 1], 1e-5);
        }

        for (var i = 0; i < 3; i++)
        {
            var members = rows.Where(row => row.Second == i + 1).Select(row => row.First[0]).ToArray();
            Assert.AreEqual(members.Average(), centroids![i].GetItemOrDefault(0), 1e-5);
        }

        Golden.Check(
            "12.KMeans(F,k=3,MLContext 42) centroids / predicted",
            new
            {
                C = fact["C"],
                P = fact["P"],
                Schema = Golden.Schema(_context.Transforms.SelectColumns("PredictedLabel", "Score").Fit(scored).Transform(scored).Schema),
            });
        var metrics = _context.Clustering.Evaluate(scored, "K", featureColumnName: "F");
        Assert.IsTrue(metrics.AverageDistance is > 0 and < 0.2);
        Assert.IsTrue(metrics.NormalizedMutualInformation is >= 0 and <= 1);
        Assert.IsTrue(metrics.DaviesBouldinIndex > 0);
    }

    [TestMethod]
    public void CrossValidation()
    {
        var results = _context.MulticlassClassification.CrossValidate(
            Row.Data(_context), Features.Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("K", "F")), 3, "K", seed: 5);
        Golden.CheckNear("12.CrossValidate(3 folds, seed 5) MacroAccuracy", results.Select(result => result.Metrics.MacroAccuracy), 1e-9);
        CollectionAssert.AreEqual(new[] { 0, 1, 2 }, results.Select(result => result.Fold).ToArray());
    }

    [TestMethod]
    public void Errors()
    {
        var trainers = _context.MulticlassClassification.Trainers;
        var data = Scaled;
        var table = Row.Data(_context);
        Golden.CheckError("14.missing feature column: LbfgsMaximumEntropy.Fit", () => trainers.LbfgsMaximumEntropy("K", "F").Fit(table));
        Golden.CheckError("14.missing label column: LbfgsMaximumEntropy.Fit", () => trainers.LbfgsMaximumEntropy("K", "V").Fit(table));
        Golden.CheckError("14.wrong type: label string (not key) multiclass", () => trainers.LbfgsMaximumEntropy("Label", "F").Fit(data));
        Golden.CheckError("14.wrong type: binary label string", () =>
            _context.BinaryClassification.Trainers.LbfgsLogisticRegression("Label", "F").Fit(data));
        var texts = _context.Transforms.CopyColumns("F", "Cat").Append(_context.Transforms.Conversion.MapValueToKey("Label"));
        Golden.CheckError("14.wrong type: features string", () => texts.Append(trainers.LbfgsMaximumEntropy("Label", "F")).Fit(table));
        var none = _context.Data.FilterRowsByColumn(data, "A", lowerBound: 1000);
        Golden.CheckError("14.empty: LbfgsMaximumEntropy.Fit", () => trainers.LbfgsMaximumEntropy("K", "F").Fit(none));
        var numbers = _context.Transforms.CopyColumns("Label", "A").Fit(none).Transform(none);
        Golden.CheckError("14.empty: Regression.Sdca.Fit", () => _context.Regression.Trainers.Sdca("Label", "F").Fit(numbers));
        Golden.CheckError("14.empty: KMeans.Fit", () => _context.Clustering.Trainers.KMeans("F").Fit(none));
        Golden.CheckError(
            "14.KMeans fewer points than clusters", () => _context.Clustering.Trainers.KMeans("F", numberOfClusters: 50).Fit(data));
        Golden.CheckError("14.argument: KMeans numberOfClusters 0", () => _context.Clustering.Trainers.KMeans("F", numberOfClusters: 0));
        var wide = _context.Transforms.Concatenate("F", "A", "B", "C").Fit(table).Transform(table);
        Golden.CheckError("14.schema mismatch: trained on 2 features, Transform on 3", () =>
            trainers.LbfgsMaximumEntropy("K", "F").Fit(data).Transform(wide));
        var missing = _context.Transforms.Concatenate("F", "C", "C").Fit(_context.Data.FilterRowsByColumn(data, "Id", 9, 10))
            .Transform(_context.Data.FilterRowsByColumn(data, "Id", 9, 10));
        Golden.CheckError("14.all-NaN features: LbfgsMaximumEntropy", () => trainers.LbfgsMaximumEntropy("K", "F").Fit(missing));
        var one = _context.Data.FilterRowsByColumn(data, "Id", 0, 1);
        Golden.CheckError("14.one class only: LbfgsMaximumEntropy", () => trainers.LbfgsMaximumEntropy("K", "F").Fit(one));
        Golden.CheckError("14.schema mismatch: pipeline Transform without label column", () =>
            _context.Transforms.Conversion.MapValueToKey("Label").Append(trainers.LbfgsMaximumEntropy("Label", "V")).Fit(table)
                .Transform(_context.Data.LoadFromEnumerable(new[] { new { V = 1f } })));
    }

    private float[] Weights(IDataView data, string? weight = null)
    {
        var keyed = _context.Transforms.Conversion.MapValueToKey("Label").Fit(data).Transform(data);
        var model = _context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "F", weight).Fit(keyed);
        VBuffer<float>[]? weights = null;
        model.Model.GetWeights(ref weights, out _);
        return [.. weights.SelectMany(row => row.DenseValues())];
    }

    private sealed class Wide
    {
        [VectorType(40)]
        public float[]? F { get; set; }
        public string? Label { get; set; }
        public float Weight { get; set; }
    }
}
