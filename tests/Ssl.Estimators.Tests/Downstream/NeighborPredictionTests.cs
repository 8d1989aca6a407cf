using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Tests.Downstream;

[TestClass]
public class NeighborPredictionTests
{
    private const int Dimension = 4;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(1, 0.1)]
    [DataRow(5, 0.1)]
    [DataRow(5, 100.0)]
    [DataRow(12, 0.02)]
    public void Classes_are_those_of_a_naive_vote(int k, double temperature)
    {
        var (references, queries) = (EmbeddingRows.Clustered(60, Dimension, 1, 0.8), EmbeddingRows.Clustered(300, Dimension, 2, 0.8));
        using var model = Fit(PredictionKind.MulticlassClassification, references,
            new() { NumberOfNeighbors = k, Temperature = temperature });
        var output = model.Transform(View(queries));
        var scores = output.GetColumn<float[]>("Score").ToArray();
        var labels = output.GetColumn<uint>("PredictedLabel").ToArray();
        for (var q = 0; q < queries.Length; q++)
        {
            var neighbors = Nearest(references, queries[q], k);
            var total = neighbors.Sum(n => Math.Exp(n.Cosine / temperature));
            for (var c = 0; c < 3; c++)
            {
                var share = neighbors.Where(n => n.Row.Class == EmbeddingRows.Classes[c])
                    .Sum(n => Math.Exp(n.Cosine / temperature)) / total;
                Assert.AreEqual(share, scores[q][c], 2e-4, $"query {q}, class {c}");
            }

            Assert.AreEqual(scores[q].Max(), scores[q][labels[q] - 1]);
        }
    }

    [TestMethod]
    public void Answers_and_numbers_are_those_of_a_naive_vote()
    {
        var (references, queries) = (EmbeddingRows.Clustered(60, Dimension, 1, 0.8), EmbeddingRows.Clustered(50, Dimension, 2, 0.8));
        using var binary = Fit(PredictionKind.BinaryClassification, references,
            new() { LabelColumnName = "Answer", NumberOfNeighbors = 7 });
        using var regression = Fit(PredictionKind.Regression, references, new() { LabelColumnName = "Number", NumberOfNeighbors = 7 });
        var answers = binary.Transform(View(queries));
        var probabilities = answers.GetColumn<float>("Probability").ToArray();
        var scores = answers.GetColumn<float>("Score").ToArray();
        var predicted = answers.GetColumn<bool>("PredictedLabel").ToArray();
        var numbers = regression.Transform(View(queries)).GetColumn<float>("Score").ToArray();
        for (var q = 0; q < queries.Length; q++)
        {
            var neighbors = Nearest(references, queries[q], 7);
            var total = neighbors.Sum(n => Math.Exp(n.Cosine / 0.1));
            Assert.AreEqual(neighbors.Sum(n => Math.Exp(n.Cosine / 0.1) * n.Row.Number) / total, numbers[q], 5e-3);
            var yes = neighbors.Where(n => n.Row.Answer).Sum(n => Math.Exp(n.Cosine / 0.1)) / total;
            Assert.AreEqual(yes, probabilities[q], 2e-4);
            Assert.AreEqual(2 * yes - 1, scores[q], 4e-4);
            Assert.AreEqual(scores[q] > 0, predicted[q]);
        }
    }

    [TestMethod]
    public void The_stock_evaluators_take_the_output()
    {
        var (references, queries) = (EmbeddingRows.Clustered(90, Dimension, 1), EmbeddingRows.Clustered(60, Dimension, 2));
        using var classes = Fit(PredictionKind.MulticlassClassification, references);
        var metrics = _mlContext.MulticlassClassification.Evaluate(classes.Transform(EmbeddingRows.WithKeys(_mlContext, View(queries))));
        Assert.IsGreaterThan(0.9, metrics.MicroAccuracy);
        using var answers = Fit(PredictionKind.BinaryClassification, references, new() { LabelColumnName = "Answer" });
        Assert.IsGreaterThan(0.95,
            _mlContext.BinaryClassification.Evaluate(answers.Transform(View(queries)), labelColumnName: "Answer").AreaUnderRocCurve);
        using var numbers = Fit(PredictionKind.Regression, references, new() { LabelColumnName = "Number" });
        Assert.IsGreaterThan(0.7, _mlContext.Regression.Evaluate(numbers.Transform(View(queries)), labelColumnName: "Number").RSquared);
    }

    [TestMethod]
    public void The_columns_are_those_of_the_stock_trainers()
    {
        var keyed = EmbeddingRows.WithKeys(_mlContext, View(EmbeddingRows.Clustered(30, Dimension, 1)));
        (PredictionKind, string, ITransformer)[] cases =
        [
            (PredictionKind.MulticlassClassification, "Label",
                _mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy().Fit(keyed)),
            (PredictionKind.BinaryClassification, "Answer",
                _mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression("Answer").Fit(keyed)),
            (PredictionKind.Regression, "Number", _mlContext.Regression.Trainers.Sdca("Number", maximumNumberOfIterations: 1).Fit(keyed)),
        ];
        foreach (var (kind, label, stock) in cases)
        {
            var estimator = new NearestNeighborsPredictionEstimator(_mlContext, kind, new() { LabelColumnName = label });
            using var model = estimator.Fit(keyed);
            var (ours, theirs) = (model.GetOutputSchema(keyed.Schema), stock.GetOutputSchema(keyed.Schema));
            CollectionAssert.AreEqual(theirs.Select(c => c.Name).ToArray(), ours.Select(c => c.Name).ToArray());
            foreach (var name in model.OutputColumnNames)
                Assert.AreEqual(theirs[name].Type, ours[name].Type, $"{kind} {name}");
        }
    }

    [TestMethod]
    public void Saved_models_and_single_rows_predict_the_same()
    {
        var (references, queries) = (EmbeddingRows.Clustered(60, Dimension, 1, 0.6), EmbeddingRows.Clustered(40, Dimension, 2, 0.6));
        foreach (var search in new[] { NeighborSearch.Exact, NeighborSearch.Approximate })
        {
            using var classes = Fit(PredictionKind.MulticlassClassification, references, new() { Search = search, NumberOfProbes = 3 });
            using var answers = Fit(PredictionKind.BinaryClassification, references, new() { LabelColumnName = "Answer", Search = search });
            using var numbers = Fit(PredictionKind.Regression, references, new() { LabelColumnName = "Number", Search = search });
            foreach (var model in new[] { classes, answers, numbers })
            {
                var loaded = EmbeddingRows.Reload(model, View(queries).Schema);
                AssertSame(model.Transform(View(queries)), loaded.Transform(View(queries)));
                Assert.IsInstanceOfType<NearestNeighborsPredictionTransformer>(loaded);
            }

            using var engine = _mlContext.Model.CreatePredictionEngine<EmbeddingRow, Prediction>(classes,
                new PredictionEngineOptions { InputSchemaDefinition = EmbeddingRows.Definition(Dimension), OwnsTransformer = false });
            var expected = classes.Transform(View(queries)).GetColumn<uint>("PredictedLabel").ToArray();
            CollectionAssert.AreEqual(expected, queries.Select(q => engine.Predict(q).PredictedLabel).ToArray());
        }
    }

    [TestMethod]
    public void A_row_without_direction_has_no_label()
    {
        using var model = Fit(PredictionKind.MulticlassClassification, EmbeddingRows.Clustered(30, Dimension, 1));
        var output = model.Transform(View([new() { Features = [0, 0, 0, 0] }]));
        Assert.AreEqual(0u, output.GetColumn<uint>("PredictedLabel").Single());
        Assert.IsTrue(output.GetColumn<float[]>("Score").Single().All(float.IsNaN));
    }

    [TestMethod]
    public void More_neighbors_than_rows_are_all_the_rows_with_a_warning()
    {
        var warnings = new List<string>();
        _mlContext.Log += (_, e) => warnings.Add(e.Message);
        var references = EmbeddingRows.Clustered(6, Dimension, 1);
        using var model = Fit(PredictionKind.Regression, references,
            new() { LabelColumnName = "Number", NumberOfNeighbors = 50, Temperature = 1e9 });
        Assert.AreEqual(6, model.NumberOfNeighbors);
        Assert.IsTrue(warnings.Any(w => w.Contains("NumberOfNeighbors is 50, but there are only 6", StringComparison.Ordinal)));
        Assert.AreEqual(10, model.Transform(View(EmbeddingRows.Clustered(3, Dimension, 2))).GetColumn<float>("Score").First(), 1e-4);
    }

    [TestMethod]
    public void Bad_labels_columns_and_options_are_refused()
    {
        var view = View(EmbeddingRows.Clustered(9, Dimension, 1));
        void Refused<T>(string expected, PredictionKind kind, NearestNeighborsPredictionEstimator.Options options, IDataView? data = null)
            where T : Exception => StringAssert.Contains(Assert.ThrowsExactly<T>(
                () => new NearestNeighborsPredictionEstimator(_mlContext, kind, options).Fit(data ?? view)).Message, expected);

        Refused<ArgumentOutOfRangeException>("Could not find label column 'Label'", PredictionKind.Regression, new());
        Refused<ArgumentOutOfRangeException>("Could not find feature column 'Gone'", PredictionKind.Regression,
            new() { LabelColumnName = "Number", FeatureColumnName = "Gone" });
        Refused<ArgumentOutOfRangeException>("Schema mismatch for label column 'Class': expected Key<UInt32>, got String",
            PredictionKind.MulticlassClassification, new() { LabelColumnName = "Class" });
        Refused<ArgumentOutOfRangeException>("expected Boolean, got Single", PredictionKind.BinaryClassification,
            new() { LabelColumnName = "Number" });
        Refused<ArgumentOutOfRangeException>("NumberOfNeighbors must be at least 1, got 0. Temperature must be greater than 0, got 0.",
            PredictionKind.Regression, new() { NumberOfNeighbors = 0, Temperature = 0 });
        Refused<ArgumentOutOfRangeException>("NumberOfCells must be at least 1, got 0. NumberOfProbes must be at least 1, got -1.",
            PredictionKind.Regression, new() { NumberOfCells = 0, NumberOfProbes = -1 });
        Refused<InvalidOperationException>("Training set has 0 instances", PredictionKind.Regression, new() { LabelColumnName = "Number" },
            View([]));
        var same = EmbeddingRows.Clustered(9, Dimension, 1);
        foreach (var row in same)
            row.Number = 4;
        Refused<InvalidOperationException>("All 9 rows have the same label, '4'", PredictionKind.Regression,
            new() { LabelColumnName = "Number" },
            View(same));
        foreach (var row in same)
            row.Number = float.NaN;
        Refused<InvalidOperationException>("All 9 rows lack a label", PredictionKind.Regression, new() { LabelColumnName = "Number" },
            View(same));
    }

    [TestMethod]
    public void Nothing_is_left_behind_and_a_disposed_model_says_so()
    {
        var references = EmbeddingRows.Clustered(30, Dimension, 1);
        Fit(PredictionKind.MulticlassClassification, references).Dispose();
        var before = TorchSharp.torch.Tensor.TotalCount;
        var model = Fit(PredictionKind.MulticlassClassification, references, new() { Search = NeighborSearch.Approximate });
        _ = model.Transform(View(references)).GetColumn<uint>("PredictedLabel").Count();
        model.Dispose();
        // Fewer where tensors of an earlier test met their finalizer meanwhile.
        Assert.IsLessThanOrEqualTo(before, TorchSharp.torch.Tensor.TotalCount);
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Transform(View(references)));
    }

    private NearestNeighborsPredictionTransformer Fit(PredictionKind kind, EmbeddingRow[] rows,
        NearestNeighborsPredictionEstimator.Options? options = null)
        => new NearestNeighborsPredictionEstimator(_mlContext, kind, options ?? new()).Fit(EmbeddingRows.WithKeys(_mlContext, View(rows)));

    private IDataView View(IEnumerable<EmbeddingRow> rows) => EmbeddingRows.View(_mlContext, rows, Dimension);

    private static (EmbeddingRow Row, double Cosine)[] Nearest(EmbeddingRow[] references, EmbeddingRow query, int k)
        => [.. references.Select(row => (row, EmbeddingRows.Cosine(row.Features, query.Features))).OrderByDescending(p => p.Item2).Take(k)];

    private static void AssertSame(IDataView expected, IDataView actual)
    {
        if (expected.Schema["Score"].Type is VectorDataViewType)
        {
            Assert.AreEqual(expected.Schema["PredictedLabel"].Type.ToString(), actual.Schema["PredictedLabel"].Type.ToString());
            CollectionAssert.AreEqual(expected.GetColumn<uint>("PredictedLabel").ToArray(),
                actual.GetColumn<uint>("PredictedLabel").ToArray());
            var (a, b) = (expected.GetColumn<float[]>("Score").ToArray(), actual.GetColumn<float[]>("Score").ToArray());
            for (var i = 0; i < a.Length; i++)
                for (var c = 0; c < a[i].Length; c++)
                    Assert.AreEqual(a[i][c], b[i][c], 1e-4f);
            return;
        }

        foreach (var (a, b) in expected.GetColumn<float>("Score").Zip(actual.GetColumn<float>("Score")))
            Assert.AreEqual(a, b, 1e-3f);
    }

    private sealed class Prediction
    {
        public uint PredictedLabel { get; set; }
    }
}
