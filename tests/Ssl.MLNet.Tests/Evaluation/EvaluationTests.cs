using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Evaluation;

/// <summary>Every figure against its definition, computed row by row.</summary>
[TestClass]
public sealed class EvaluationTests
{
    private const int Dimension = 5;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    private SelfSupervisedCatalog Ssl => _mlContext.SelfSupervised();

    [TestMethod]
    [DataRow(700)]
    [DataRow(4)]
    public void Spread_uniformity_and_alignment_are_those_of_their_definitions(int count)
    {
        var rows = Rows(count, 1);
        var metrics = Ssl.EvaluateRepresentation(View(rows), new RepresentationEvaluationOptions { PairColumnName = "Second" });
        var (first, second) = (rows.Select(r => Unit(r.Features)).ToArray(), rows.Select(r => Unit(r.Second)).ToArray());
        var spread = Enumerable.Range(0, Dimension).Average(d =>
        {
            var mean = first.Average(v => v[d]);
            return Math.Sqrt(first.Sum(v => (v[d] - mean) * (v[d] - mean)) / (count - 1));
        });
        Assert.AreEqual(spread * Math.Sqrt(Dimension), metrics.Spread, 1e-5);
        Assert.AreEqual(first.Zip(second, Squared).Average(), metrics.Alignment!.Value, 1e-5);
        double sum = 0;
        for (var i = 0; i < count; i++)
            for (var j = 0; j < i; j++)
                sum += Math.Exp(-2 * Squared(first[i], first[j]));
        Assert.AreEqual(Math.Log(sum / (count * (count - 1) / 2.0)), metrics.Uniformity, 1e-5);
        Assert.AreEqual(count, metrics.NumberOfRows);
        Assert.AreEqual(Dimension, metrics.Dimension);
        Assert.IsNull(metrics.LinearProbeAccuracy);
    }

    [TestMethod]
    public void The_effective_rank_is_that_of_known_singular_values()
    {
        // Orthogonal columns of lengths 4, 2, 1: those are the singular values.
        Row[] rows = [New([4, 0, 0, 0, 0]), New([0, 2, 0, 0, 0]), New([0, 0, 1, 0, 0])];
        double[] shares = [4 / 7.0, 2 / 7.0, 1 / 7.0];
        Assert.AreEqual(Math.Exp(-shares.Sum(p => p * Math.Log(p))), Ssl.EvaluateRepresentation(View(rows)).EffectiveRank, 1e-4);

        var collapsed = Ssl.EvaluateRepresentation(View(Enumerable.Range(1, 30).Select(i => New([i, 2 * i, 0, 0, 0]))));
        Assert.AreEqual(1, collapsed.EffectiveRank, 1e-3);
        Assert.AreEqual(0, collapsed.Spread, 1e-6);
        Assert.AreEqual(0, collapsed.Uniformity, 1e-5);
        var full = Ssl.EvaluateRepresentation(View(Rows(2000, 3)));
        Assert.AreEqual(5, full.EffectiveRank, 0.05);
        Assert.AreEqual(1, full.Spread, 0.05);
    }

    [TestMethod]
    public void Nearest_neighbors_are_a_naive_vote_without_the_row_itself()
    {
        var rows = Rows(150, 2, spread: 0.7);
        var metrics = Ssl.EvaluateRepresentation(Keyed(rows), new RepresentationEvaluationOptions
        {
            LabelColumnName = "Label", NumberOfNeighbors = 7, Temperature = 0.2,
        });
        var right = rows.Count(row => row.Class == rows.Where(other => other != row)
            .OrderByDescending(other => Cosine(row.Features, other.Features)).Take(7)
            .GroupBy(other => other.Class).MaxBy(g => g.Sum(other => Math.Exp(Cosine(row.Features, other.Features) / 0.2)))!.Key);
        Assert.AreEqual(right / 150.0, metrics.NearestNeighborAccuracy!.Value, 1e-9);
        Assert.IsGreaterThan(0.6, metrics.NearestNeighborAccuracy!.Value);
        Assert.IsGreaterThan(0.6, metrics.LinearProbeAccuracy!.Value);
        Assert.AreEqual(1 / 3.0, metrics.LargestClassShare!.Value, 1e-9);
    }

    [TestMethod]
    public void The_probe_sees_what_neighbors_see_and_nothing_in_noise()
    {
        var clear = Ssl.EvaluateRepresentation(Keyed(Rows(300, 4, spread: 0.05)), "Label");
        Assert.AreEqual(1, clear.LinearProbeAccuracy!.Value, 0.02);
        Assert.AreEqual(1, clear.NearestNeighborAccuracy!.Value, 0.02);
        var rows = Rows(600, 5, spread: 0.05);
        var random = new Random(1);
        foreach (var row in rows)
            row.Class = "abc"[random.Next(3)].ToString();
        var noise = Ssl.EvaluateRepresentation(Keyed(rows), "Label");
        Assert.AreEqual(1 / 3.0, noise.LinearProbeAccuracy!.Value, 0.15);
        Assert.AreEqual(1 / 3.0, noise.NearestNeighborAccuracy!.Value, 0.1);
        var flags = Ssl.EvaluateRepresentation(View(Rows(90, 4, spread: 0.05)), "Answer");
        Assert.AreEqual(1, flags.LinearProbeAccuracy!.Value, 0.07);
    }

    [TestMethod]
    public void Retrieval_is_that_of_sorting()
    {
        var rows = Rows(120, 6, spread: 1);
        var metrics = Ssl.EvaluateRetrieval(View(rows), "Features", "Second", [1, 3, 50]);
        double[] ranks = [.. rows.Select(row => 1.0 + rows.Count(other =>
            other != row && Cosine(row.Features, other.Second) > Cosine(row.Features, row.Second)))];
        foreach (var k in new[] { 1, 3, 50 })
            Assert.AreEqual(ranks.Count(rank => rank <= k) / 120.0, metrics.RecallAtK[k], 1e-9);
        Assert.AreEqual(ranks.Average(rank => 1 / rank), metrics.MeanReciprocalRank, 1e-9);
        Assert.AreEqual((ranks.Order().ElementAt(59) + ranks.Order().ElementAt(60)) / 2, metrics.MedianRank);

        var collapsed = Ssl.EvaluateRetrieval(View(Enumerable.Range(1, 9).Select(i => New([i, 0, 0, 0, 0]))), "Features", "Features");
        Assert.AreEqual(5, collapsed.MedianRank, "the middle of nine equal ones");
        Assert.AreEqual(0, collapsed.RecallAtK[1]);
        CollectionAssert.AreEquivalent(new[] { 1, 5 }, collapsed.RecallAtK.Keys.ToArray(), "10 is more than there are rows");
    }

    [TestMethod]
    public void Similarity_correlates_cosines_with_labels()
    {
        var rows = Rows(80, 7, spread: 1);
        foreach (var row in rows)
            row.Number = MathF.Round((float)Math.Pow(Cosine(row.Features, row.Second) + 1, 3));      // rising, not linear, with ties
        var metrics = Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Number");
        double[] cosines = [.. rows.Select(row => Cosine(row.Features, row.Second))];
        double[] labels = [.. rows.Select(row => (double)row.Number)];
        Assert.AreEqual(Pearson(cosines, labels), metrics.PearsonCorrelation, 1e-5);
        Assert.AreEqual(Pearson(Ranks(cosines), Ranks(labels)), metrics.SpearmanCorrelation, 1e-4);
        Assert.AreEqual(80, metrics.NumberOfPairs);
        foreach (var row in rows)
            row.Number = -(float)Cosine(row.Features, row.Second);
        Assert.AreEqual(-1, Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Number").SpearmanCorrelation, 1e-3);
    }

    [TestMethod]
    public void Rows_without_direction_or_label_do_not_count()
    {
        var rows = Rows(30, 8);
        rows[0].Features = [0, 0, 0, 0, 0];
        rows[1].Features[2] = float.NaN;
        rows[2].Number = float.NaN;
        Assert.AreEqual(28, Ssl.EvaluateRepresentation(View(rows)).NumberOfRows);
        Assert.AreEqual(28, Ssl.EvaluateRetrieval(View(rows), "Features", "Second").NumberOfQueries);
        rows[3].Number = 5;
        Assert.AreEqual(27, Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Number").NumberOfPairs);
        Assert.AreEqual(10, Ssl.EvaluateRepresentation(View(rows),
            new RepresentationEvaluationOptions { MaximumNumberOfRows = 10 }).NumberOfRows);
    }

    [TestMethod]
    public void Faults_are_named()
    {
        var rows = Rows(9, 9);
        void Refused<T>(string expected, Action action) where T : Exception
            => StringAssert.Contains(Assert.ThrowsExactly<T>(action).Message, expected);

        Refused<ArgumentOutOfRangeException>("Could not find feature column 'Gone'",
            () => Ssl.EvaluateRepresentation(View(rows), null, "Gone"));
        Refused<ArgumentOutOfRangeException>("Could not find label column 'Gone'", () => Ssl.EvaluateRepresentation(View(rows), "Gone"));
        Refused<ArgumentOutOfRangeException>("Schema mismatch for label column 'Class': expected Key<UInt32>, got String",
            () => Ssl.EvaluateRepresentation(View(rows), "Class"));
        Refused<ArgumentOutOfRangeException>("expected a number, got String",
            () => Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Class"));
        Refused<ArgumentOutOfRangeException>("NumberOfNeighbors must be at least 1, got 0. Temperature must be greater than 0, got 0.",
            () => Ssl.EvaluateRepresentation(View(rows), new RepresentationEvaluationOptions { NumberOfNeighbors = 0, Temperature = 0 }));
        Refused<ArgumentOutOfRangeException>("must be at most the number of queries, 9, got 10",
            () => Ssl.EvaluateRetrieval(View(rows), "Features", "Second", [10]));
        Refused<ArgumentOutOfRangeException>("numberOfResults must be at least 1, got 0",
            () => Ssl.EvaluateRetrieval(View(rows), "Features", "Second", [0]));
        Refused<InvalidOperationException>("There are 0 usable rows among 0", () => Ssl.EvaluateRepresentation(View([])));
        Refused<InvalidOperationException>("same label",
            () => Ssl.EvaluateSimilarity(View([rows[0], rows[3]]), "Features", "Second", "Number"));
        Refused<InvalidOperationException>("one class only", () => Ssl.EvaluateRepresentation(Keyed([rows[0], rows[3], rows[6]]), "Label"));
        Refused<InvalidOperationException>("leaves no row", () => Ssl.EvaluateRepresentation(Keyed([rows[0], rows[1], rows[2]]), "Label"));
    }

    [TestMethod]
    public void No_tensors_are_left_behind()
    {
        var view = Keyed(Rows(60, 1));
        _ = Ssl.EvaluateRepresentation(view, "Label");
        var before = TorchSharp.torch.Tensor.TotalCount;
        _ = Ssl.EvaluateRepresentation(view, "Label");
        _ = Ssl.EvaluateRetrieval(view, "Features", "Second");
        _ = Ssl.EvaluateSimilarity(view, "Features", "Second", "Number");
        // Fewer where tensors of an earlier test met their finalizer meanwhile.
        Assert.IsLessThanOrEqualTo(before, TorchSharp.torch.Tensor.TotalCount);
    }

    private IDataView View(IEnumerable<Row> rows)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        foreach (var name in new[] { "Features", "Second" })
            definition[name].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Dimension);
        return _mlContext.Data.LoadFromEnumerable(rows, definition);
    }

    private IDataView Keyed(IEnumerable<Row> rows)
    {
        var view = View(rows);
        return _mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(view).Transform(view);
    }

    private static Row New(float[] features) => new() { Features = features, Second = features };

    // Three classes around three directions where the spread is small; directions evenly spread where it is large.
    private static Row[] Rows(int count, int seed, double spread = 100)
    {
        var random = new Random(seed);
        float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            float[] features = [.. Enumerable.Range(0, Dimension).Select(d => (d == i % 3 ? 1 : 0) + (float)spread * Normal())];
            return new Row
            {
                Class = "abc"[i % 3].ToString(),
                Answer = i % 3 == 0,
                Number = i % 3,
                Features = features,
                Second = [.. features.Select(value => value + (float)spread * Normal() / 2)],
            };
        })];
    }

    private static double[] Unit(float[] vector)
    {
        var length = Math.Sqrt(vector.Sum(v => (double)v * v));
        return [.. vector.Select(v => v / length)];
    }

    private static double Cosine(float[] a, float[] b) => Unit(a).Zip(Unit(b), (x, y) => x * y).Sum();

    private static double Squared(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    private static double Pearson(double[] a, double[] b)
    {
        var (x, y) = (a.Average(), b.Average());
        var covariance = a.Zip(b, (p, q) => (p - x) * (q - y)).Average();
        return covariance / Math.Sqrt(a.Average(p => (p - x) * (p - x)) * b.Average(q => (q - y) * (q - y)));
    }

    private static double[] Ranks(double[] values)
        => [.. values.Select(v => values.Count(other => other < v) + (values.Count(other => other == v) + 1) / 2.0)];

    private sealed class Row
    {
        public string Class { get; set; } = "";

        public bool Answer { get; set; }

        public float Number { get; set; }

        public float[] Features { get; set; } = [];

        public float[] Second { get; set; } = [];
    }
}
