using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Tests.Persistence;

namespace Ssl.Estimators.Tests.Downstream;

[TestClass]
public class AnomalyScoreTests
{
    private const int Dimension = 4;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(1)]
    [DataRow(5)]
    public void The_neighbor_distance_is_the_naive_one_and_no_row_is_its_own_neighbor(int k)
    {
        var (rows, others) = (EmbeddingRows.Clustered(300, Dimension, 1, 0.5), EmbeddingRows.Clustered(40, Dimension, 2, 0.5));
        using var model = Fit(rows, new() { Method = AnomalyMethod.NeighborDistance, NumberOfNeighbors = k, ContaminationFraction = 0.1 });
        var scores = Scores(model, others);
        for (var i = 0; i < others.Length; i++)
            Assert.AreEqual(Distance(rows, others[i], k), scores[i], 1e-5);

        var own = rows.Select(row => Distance([.. rows.Where(other => other != row)], row, k)).ToArray();
        Assert.AreEqual(30, own.Count(score => score > model.Threshold + 1e-6), "a tenth of the rows is above the threshold");
        Assert.AreEqual(own.OrderDescending().ElementAt(30), model.Threshold, 1e-5);
    }

    [TestMethod]
    [DataRow(200)]
    [DataRow(6)]
    public void The_Mahalanobis_distance_is_the_naive_one(int count)
    {
        var (rows, others) = (EmbeddingRows.Clustered(count, Dimension, 1, 0.5), EmbeddingRows.Clustered(20, Dimension, 2, 0.5));
        using var model = Fit(rows, new() { Method = AnomalyMethod.Mahalanobis });
        var mean = Enumerable.Range(0, Dimension).Select(d => rows.Average(r => (double)r.Features[d])).ToArray();
        var centered = rows.Select(r => r.Features.Select((v, d) => v - mean[d]).ToArray()).ToArray();
        var covariance = NaiveLedoitWolf(centered);
        var scores = Scores(model, others);
        for (var i = 0; i < others.Length; i++)
        {
            var x = others[i].Features.Select((v, d) => v - mean[d]).ToArray();
            var solved = Solve(covariance, x);
            Assert.AreEqual(Math.Sqrt(x.Zip(solved, (a, b) => a * b).Sum()), scores[i], 1e-4);
        }
    }

    [TestMethod]
    public void By_default_it_is_the_Mahalanobis_distance_which_sees_lengths()
    {
        Assert.AreEqual(AnomalyMethod.Mahalanobis, new AnomalyScoreEstimator.Options().Method);
        // Anomalies in the direction of the ordinary rows, some of them among those.
        EmbeddingRow[] rows = EmbeddingRows.Clustered(100, Dimension, 1, 0.3);
        foreach (var row in rows)
            row.Features = [.. row.Features.Select(value => value + 5)];
        foreach (var row in rows[..4])
            row.Features = [.. row.Features.Select(value => 3 * value)];
        using var model = Fit(rows, new() { ContaminationFraction = 0.04 });
        Assert.AreEqual(AnomalyMethod.Mahalanobis, model.Method);
        CollectionAssert.AreEqual(rows.Select((_, i) => i < 4).ToArray(), model.Transform(View(rows)).GetColumn<bool>("PredictedLabel").ToArray());
    }

    [TestMethod]
    public void The_columns_are_those_of_a_detector_and_the_stock_evaluator_takes_them()
    {
        foreach (var method in new[] { AnomalyMethod.NeighborDistance, AnomalyMethod.Mahalanobis })
        {
            using var model = Fit(EmbeddingRows.Clustered(150, Dimension, 1, 0.1), new() { Method = method });
            var rows = EmbeddingRows.Clustered(60, Dimension, 2, 0.1);
            foreach (var row in rows)
                row.Number = 0;
            for (var i = 0; i < 10; i++)
                (rows[i].Number, rows[i].Features) = (1, [-1, -1, -1, i]);
            var output = model.Transform(View(rows));
            CollectionAssert.AreEqual(new[] { "PredictedLabel", "Score" }, output.Schema.TakeLast(2).Select(c => c.Name).ToArray());
            Assert.AreEqual(BooleanDataViewType.Instance, output.Schema["PredictedLabel"].Type);
            Assert.AreEqual(NumberDataViewType.Single, output.Schema["Score"].Type);

            var metrics = _mlContext.AnomalyDetection.Evaluate(output, labelColumnName: "Number", falsePositiveCount: 3);
            var scores = output.GetColumn<float>("Score").ToArray();
            var pairs = from i in Enumerable.Range(0, 10) from j in Enumerable.Range(10, 50) select (scores[i], scores[j]);
            Assert.AreEqual(pairs.Average(p => p.Item1 > p.Item2 ? 1 : p.Item1 == p.Item2 ? 0.5 : 0), metrics.AreaUnderRocCurve, 1e-9);
            Assert.AreEqual(1, metrics.DetectionRateAtFalsePositiveCount);
            var flags = output.GetColumn<bool>("PredictedLabel").ToArray();
            CollectionAssert.AreEqual(scores.Select(s => s > model.Threshold).ToArray(), flags);
            Assert.IsTrue(flags.Take(10).All(flag => flag));
        }
    }

    [TestMethod]
    public void The_schema_before_Fit_is_the_schema_after_Fit()
    {
        var chain = _mlContext.Transforms.CopyColumns("Copy", "Features").Append(new AnomalyScoreEstimator(_mlContext, new()))
            .Append(_mlContext.Transforms.CopyColumns("Again", "Score"));
        var model = chain.Fit(View(EmbeddingRows.Clustered(50, Dimension, 1)));
        Assert.AreEqual(NumberDataViewType.Single, model.GetOutputSchema(View([]).Schema)["Again"].Type);
    }

    [TestMethod]
    public void A_saved_detector_scores_the_same()
    {
        var queries = EmbeddingRows.Clustered(30, Dimension, 2, 0.8);
        queries[3].Features = [0, 0, 0, 0];
        queries[4].Features = [float.NaN, 0, 0, 0];
        using var encoder = new EncoderTransformer(_mlContext, TestEncoderModel.Create(readsNumbers: true, inputs: "Number"));
        (IDataView, AnomalyScoreEstimator.Options)[] cases =
        [
            (View(queries), new() { Method = AnomalyMethod.NeighborDistance }),
            (View(queries), new() { Method = AnomalyMethod.Mahalanobis }),
            (View(queries), new() { Method = AnomalyMethod.ReconstructionError, Encoder = encoder }),
        ];
        foreach (var (view, options) in cases)
        {
            using var model = new AnomalyScoreEstimator(_mlContext, options).Fit(View(EmbeddingRows.Clustered(90, Dimension, 1, 0.8)));
            var expected = model.Transform(view);
            using var loaded = (AnomalyScoreTransformer)EmbeddingRows.Reload(model, view.Schema);
            Assert.AreEqual(model.Threshold, loaded.Threshold);
            var actual = loaded.Transform(view);
            CollectionAssert.AreEqual(expected.GetColumn<float>("Score").ToArray(), actual.GetColumn<float>("Score").ToArray());
            CollectionAssert.AreEqual(expected.GetColumn<bool>("PredictedLabel").ToArray(),
                actual.GetColumn<bool>("PredictedLabel").ToArray());

            using var engine = _mlContext.Model.CreatePredictionEngine<EmbeddingRow, Anomaly>(model,
                new PredictionEngineOptions { InputSchemaDefinition = EmbeddingRows.Definition(Dimension), OwnsTransformer = false });
            Assert.AreEqual(expected.GetColumn<float>("Score").First(), engine.Predict(queries[0]).Score, 1e-4f);
        }
    }

    [TestMethod]
    public void The_reconstruction_error_is_the_encoders_given_or_found()
    {
        using var encoder = new EncoderTransformer(_mlContext, TestEncoderModel.Create(readsNumbers: true, inputs: "Number"));
        var rows = Enumerable.Range(0, 40).Select(i => new EmbeddingRow { Number = i, Features = [1, 2, 3, i] }).ToArray();
        var embedded = encoder.Transform(EmbeddingRows.View(_mlContext, rows, Dimension));
        using var found = new AnomalyScoreEstimator(_mlContext,
            new() { Method = AnomalyMethod.ReconstructionError, ContaminationFraction = 0.1 })
            .Fit(embedded);
        CollectionAssert.AreEqual(rows.Select(r => r.Number * r.Number).ToArray(), Scores(found, rows));
        Assert.AreEqual(35f * 35, found.Threshold);
        encoder.Dispose();
        Assert.AreEqual(100f, Scores(found, rows)[10], "the encoder is shared");
    }

    [TestMethod]
    public void Faults_are_named()
    {
        var rows = EmbeddingRows.Clustered(9, Dimension, 1);
        void Refused<T>(string expected, AnomalyScoreEstimator.Options options, IDataView? data = null) where T : Exception
            => StringAssert.Contains(Assert.ThrowsExactly<T>(
                () => new AnomalyScoreEstimator(_mlContext, options).Fit(data ?? View(rows))).Message, expected);

        Refused<ArgumentOutOfRangeException>("NumberOfNeighbors must be at least 1, got 0. ContaminationFraction must be at least 0 and less than 0.5",
            new() { NumberOfNeighbors = 0, ContaminationFraction = 0.5 });
        Refused<ArgumentOutOfRangeException>("NumberOfNeighbors must be left at 5 where Method is not NeighborDistance, got 7", new() { NumberOfNeighbors = 7 });
        Refused<ArgumentOutOfRangeException>("Could not find feature column 'Gone'", new() { FeatureColumnName = "Gone" });
        Refused<ArgumentOutOfRangeException>("Schema mismatch for feature column 'Name': expected Vector<Single>, got String",
            new() { FeatureColumnName = "Name" });
        Refused<InvalidOperationException>("There are 0 usable rows", new(), View([]));
        Refused<InvalidOperationException>("1 of 2 vectors in column 'Features' are NaN or infinite",
            new() { Method = AnomalyMethod.Mahalanobis }, View([rows[0], new() { Features = [float.NaN, 0, 0, 0] }]));
        Refused<InvalidOperationException>("are the same: there is no scatter", new() { Method = AnomalyMethod.Mahalanobis },
            View(Enumerable.Repeat(rows[0], 5)));
        Refused<ArgumentOutOfRangeException>("carries no encoder", new() { Method = AnomalyMethod.ReconstructionError });
        var texts = new EncoderTransformer(_mlContext, TestEncoderModel.Create(inputs: "Name"));
        Refused<InvalidOperationException>("has no reconstruction error",
            new() { Method = AnomalyMethod.ReconstructionError, Encoder = texts });
        texts.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => new AnomalyScoreEstimator(_mlContext, new() { Encoder = texts }));

        var warnings = new List<string>();
        _mlContext.Log += (_, e) => warnings.Add(e.Message);
        using var few = Fit(rows[..3], new() { Method = AnomalyMethod.NeighborDistance, NumberOfNeighbors = 7 });
        Assert.IsTrue(warnings.Any(w => w.Contains("NumberOfNeighbors is 7, but a row has only 2 others", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Nothing_is_left_behind_and_a_disposed_detector_says_so()
    {
        var rows = EmbeddingRows.Clustered(30, Dimension, 1);
        foreach (var method in new[] { AnomalyMethod.NeighborDistance, AnomalyMethod.Mahalanobis })
        {
            Fit(rows, new() { Method = method }).Dispose();
            var before = TorchSharp.torch.Tensor.TotalCount;
            var model = Fit(rows, new() { Method = method });
            _ = Scores(model, rows);
            model.Dispose();
            // Fewer where tensors of an earlier test met their finalizer meanwhile.
            Assert.IsLessThanOrEqualTo(before, TorchSharp.torch.Tensor.TotalCount);
            Assert.ThrowsExactly<ObjectDisposedException>(() => model.Transform(View(rows)));
        }
    }

    private AnomalyScoreTransformer Fit(EmbeddingRow[] rows, AnomalyScoreEstimator.Options options)
        => new AnomalyScoreEstimator(_mlContext, options).Fit(View(rows));

    private IDataView View(IEnumerable<EmbeddingRow> rows) => EmbeddingRows.View(_mlContext, rows, Dimension);

    private float[] Scores(AnomalyScoreTransformer model, EmbeddingRow[] rows)
        => [.. model.Transform(View(rows)).GetColumn<float>("Score")];

    private static double Distance(EmbeddingRow[] rows, EmbeddingRow row, int k)
        => rows.Select(other => 1 - EmbeddingRows.Cosine(other.Features, row.Features)).Order().Take(k).Average();

    // Straight from the paper's definitions, row by row.
    private static double[,] NaiveLedoitWolf(double[][] x)
    {
        var (n, d) = (x.Length, x[0].Length);
        var sample = new double[d, d];
        foreach (var row in x)
            for (var i = 0; i < d; i++)
                for (var j = 0; j < d; j++)
                    sample[i, j] += row[i] * row[j] / n;
        var scale = Enumerable.Range(0, d).Sum(i => sample[i, i]) / d;
        double spread = 0, error = 0;
        for (var i = 0; i < d; i++)
        {
            for (var j = 0; j < d; j++)
            {
                spread += Math.Pow(sample[i, j] - (i == j ? scale : 0), 2) / d;
                error += x.Sum(row => Math.Pow(row[i] * row[j] - sample[i, j], 2)) / d / n / n;
            }
        }

        var shrinkage = Math.Min(error, spread) / spread;
        for (var i = 0; i < d; i++)
            for (var j = 0; j < d; j++)
                sample[i, j] = (1 - shrinkage) * sample[i, j] + (i == j ? shrinkage * scale : 0);
        return sample;
    }

    private static double[] Solve(double[,] matrix, double[] right)
    {
        var (a, b, n) = ((double[,])matrix.Clone(), (double[])right.Clone(), right.Length);
        for (var i = 0; i < n; i++)
        {
            for (var row = i + 1; row < n; row++)
            {
                var factor = a[row, i] / a[i, i];
                for (var column = i; column < n; column++)
                    a[row, column] -= factor * a[i, column];
                b[row] -= factor * b[i];
            }
        }

        for (var i = n - 1; i >= 0; i--)
        {
            for (var column = i + 1; column < n; column++)
                b[i] -= a[i, column] * b[column];
            b[i] /= a[i, i];
        }

        return b;
    }

    private sealed class Anomaly
    {
        public bool PredictedLabel { get; set; }

        public float Score { get; set; }
    }
}
