using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Downstream;

/// <summary>Duplicates, ties, vectors without direction, hardly any rows: searches and scores against plain loops.</summary>
[TestClass]
public class HardCaseTests
{
    private const int Dimension = 37;

    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly List<string> _warnings = [];

    public HardCaseTests() => _mlContext.Log += (_, e) => _warnings.Add(e.Message);

    [TestMethod]
    [DataRow(1, false)]
    [DataRow(7, false)]
    [DataRow(30, false)]
    [DataRow(700, false)]
    [DataRow(7, true)]
    [DataRow(30, true)]
    public void Of_equal_rows_the_first_come_first_whatever_their_places(int k, bool onDevice)
    {
        // Twenty rows, each about thirty times: more often than the search looks behind the last place.
        var (references, queries) = (Repeated(20, 613, 1), Repeated(20, 613, 1)[..19].Concat(Vectors(9, 5)).ToArray());
        using var builder = new VectorIndexBuilder(Dimension, 100);
        foreach (var row in references)
            Assert.IsTrue(builder.Add(row));
        using var index = builder.Build(CPU);
        float[] units = [.. queries.SelectMany(Unit)];
        var (rows, scores) = (new long[queries.Length * k], new float[queries.Length * k]);
        Array.Fill(rows, -1);
        Array.Fill(scores, float.NaN);
        using (NewDisposeScope())
            index.Find(units, queries.Length, k, rows, scores, onDevice);
        for (var query = 0; query < queries.Length; query++)
        {
            var expected = Nearest(references, queries[query], k);
            CollectionAssert.AreEqual(expected.Select(e => (long)e.Row).ToArray(), rows[(query * k)..(query * k + expected.Length)], $"query {query}");
            CollectionAssert.AreEqual(expected.Select(e => e.Score).ToArray(), scores[(query * k)..(query * k + expected.Length)],
                Comparer<float>.Create((a, b) => MathF.Abs(a - b) < 2e-7f ? 0 : 1), $"query {query}");
            Assert.IsTrue(rows[(query * k + expected.Length)..((query + 1) * k)].All(row => row == -1), "fewer rows than neighbors");
        }
    }

    [TestMethod]
    public void A_row_finds_the_same_alone_and_among_others()
    {
        var (references, queries) = (Repeated(200, 500, 1), Vectors(64, 2));
        using var model = new NearestNeighborsEstimator(_mlContext, new() { NumberOfNeighbors = 9 }).Fit(View(references));
        var together = Found(model, queries);
        for (var i = 0; i < queries.Length; i += 7)
        {
            var alone = Found(model, [queries[i]])[0];
            CollectionAssert.AreEqual(together[i].Rows, alone.Rows);
            CollectionAssert.AreEqual(together[i].Scores, alone.Scores);
        }
    }

    [TestMethod]
    public void One_row_and_rows_that_cannot_be_used_are_as_they_are_written()
    {
        float[] one = [.. Vectors(1, 3)[0]], none = new float[Dimension], wrong = [.. Vectors(1, 4)[0]], endless = [.. Vectors(1, 5)[0]];
        (wrong[5], endless[2]) = (float.NaN, float.NegativeInfinity);
        using var model = new NearestNeighborsEstimator(_mlContext, new() { NumberOfNeighbors = 3 }).Fit(View([wrong, one, none]));
        Told("2 of 3 reference rows are left out: their vectors are zero, NaN or infinite. The first is row 0 (rows and slots count from 0): slot 5 of "
            + "column 'Features' is NaN.");
        Told("NumberOfNeighbors is 3, but there are only 1");
        var found = Found(model, [one, none, wrong, endless]);
        CollectionAssert.AreEqual(new[] { 1f, float.NaN, float.NaN }, found[0].Scores);
        for (var i = 1; i < 4; i++)
            Assert.IsTrue(found[i].Scores.All(float.IsNaN));

        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => new NearestNeighborsEstimator(_mlContext, new()).Fit(View([endless])))
            .Message, "slot 2 of column 'Features' is infinite");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => new NearestNeighborsEstimator(_mlContext, new()).Fit(View([none])))
            .Message, "row 0 (rows and slots count from 0): the vector in column 'Features' is zero");
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(5)]
    [DataRow(50)]
    public void Votes_are_those_of_loops_and_of_equal_ones_the_first_class_wins(int k)
    {
        // Every vector stands once in each class, in turn.
        var vectors = Vectors(12, 1).SelectMany(vector => Enumerable.Repeat(vector, 3)).ToArray();
        EmbeddingRow[] rows = [.. vectors.Select((vector, i) => new EmbeddingRow { Features = vector, Class = EmbeddingRows.Classes[(i + i / 3) % 3] })];
        var data = EmbeddingRows.WithKeys(_mlContext, EmbeddingRows.View(_mlContext, rows, Dimension));
        // Keys by when they are seen.
        string[] classes = [.. rows.Select(row => row.Class).Distinct()];
        using var model = new NearestNeighborsPredictionEstimator(_mlContext, PredictionKind.MulticlassClassification,
            new() { NumberOfNeighbors = k, Temperature = 0.5 }).Fit(data);
        var output = model.Transform(data);
        var (labels, scores) = (output.GetColumn<uint>("PredictedLabel").ToArray(), output.GetColumn<float[]>("Score").ToArray());
        for (var i = 0; i < rows.Length; i++)
        {
            var votes = new double[3];
            foreach (var (row, score) in Nearest(vectors, vectors[i], k))
                votes[Array.IndexOf(classes, rows[row].Class)] += Math.Exp(score / 0.5);
            float[] shares = [.. votes.Select(vote => (float)(vote / votes.Sum()))];
            for (var c = 0; c < 3; c++)
                Assert.AreEqual(shares[c], scores[i][c], 1e-5);
            Assert.AreEqual(Array.IndexOf(shares, shares.Max()) + 1u, labels[i], $"row {i}");
        }
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(40)]
    public void The_neighbor_distance_of_a_copy_is_zero_and_no_copy_is_an_anomaly(int k)
    {
        var rows = Repeated(8, 600, 1);
        using var model = new AnomalyScoreEstimator(_mlContext, new() { Method = AnomalyMethod.NeighborDistance, NumberOfNeighbors = k,
            ContaminationFraction = 0 }).Fit(View(rows));
        Assert.AreEqual(0, model.Threshold, "every row has more copies than neighbors");
        float[] none = new float[Dimension], wrong = [.. rows[0]];
        wrong[3] = float.NaN;
        float[][] tested = [rows[0], [.. rows[1].Select(value => 3 * value)], .. Vectors(2, 9), none, wrong];
        var output = model.Transform(View(tested));
        float[] scores = [.. output.GetColumn<float>("Score")];
        CollectionAssert.AreEqual(new[] { false, false, true, true, false, false }, output.GetColumn<bool>("PredictedLabel").ToArray());
        for (var i = 0; i < 4; i++)
            Assert.AreEqual(Nearest(rows, tested[i], k).Average(n => 1.0 - n.Score), scores[i], 1e-6);
        Assert.AreEqual(0, scores[0]);
        Assert.IsTrue(float.IsNaN(scores[4]) && float.IsNaN(scores[5]), "no direction, no distance");
    }

    [TestMethod]
    public void The_neighbor_distance_over_all_rows_is_over_all_others()
    {
        var rows = Vectors(4, 1);
        using var model = new AnomalyScoreEstimator(_mlContext, new() { Method = AnomalyMethod.NeighborDistance, NumberOfNeighbors = 50,
            ContaminationFraction = 0 }).Fit(View([rows[0], new float[Dimension], .. rows[1..]]));
        Told("1 of 5 rows are left out: their vectors are zero, NaN or infinite. The first is row 1 (rows and slots count from 0): the vector in column "
            + "'Features' is zero.");
        Told("NumberOfNeighbors is 50, but a row has only 3 others");
        double Mean(int row) => rows.Where((_, i) => i != row).Average(other => 1 - Cosine(rows[row], other));
        Assert.AreEqual(Enumerable.Range(0, 4).Max(Mean), model.Threshold, 1e-6);
    }

    [TestMethod]
    [DataRow(AnomalyMethod.NeighborDistance, 1)]
    [DataRow(AnomalyMethod.Mahalanobis, 1)]
    public void One_row_does_not_say_what_is_ordinary(AnomalyMethod method, int count)
    {
        float[] wrong = [.. Vectors(1, 2)[0]];
        wrong[^1] = float.PositiveInfinity;
        var estimator = new AnomalyScoreEstimator(_mlContext, new() { Method = method });
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => estimator.Fit(View([.. Vectors(count, 1), wrong]))).Message,
            $"There are 1 usable rows, at least 2 are needed to say what is ordinary: 1 of 2 vectors in column 'Features' are ");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => estimator.Fit(View([.. Vectors(count, 1), wrong]))).Message,
            "The first is row 1 (rows and slots count from 0): slot 36 of column 'Features' is infinite.");
    }

    [TestMethod]
    public void The_Mahalanobis_distance_takes_zeros_and_copies_and_gives_a_row_one_score()
    {
        float[][] rows = [.. Repeated(30, 90, 1), new float[Dimension]];
        using var model = new AnomalyScoreEstimator(_mlContext, new() { Method = AnomalyMethod.Mahalanobis }).Fit(View(rows));
        float[] scores = [.. model.Transform(View(rows)).GetColumn<float>("Score")];
        Assert.IsTrue(scores.All(float.IsFinite));
        foreach (var copies in Enumerable.Range(0, rows.Length).GroupBy(i => string.Join(' ', rows[i])))
            Assert.HasCount(1, copies.Select(i => scores[i]).Distinct());
        Assert.AreEqual((int)Math.Round(0.05 * rows.Length), scores.Count(score => score > model.Threshold), 3, "copies fall together");
        float[] wrong = [.. rows[0]];
        wrong[0] = float.NaN;
        Assert.IsTrue(float.IsNaN(model.Transform(View([wrong])).GetColumn<float>("Score").Single()));
    }

    private void Told(string text) => Assert.IsTrue(_warnings.Any(w => w.Contains(text, StringComparison.Ordinal)), string.Join("\n", _warnings));

    private IDataView View(float[][] rows)
        => EmbeddingRows.View(_mlContext, rows.Select(row => new EmbeddingRow { Features = row }).ToArray(), Dimension);

    private (long[] Rows, float[] Scores)[] Found(NearestNeighborsTransformer model, float[][] rows)
    {
        var output = model.Transform(View(rows));
        return [.. output.GetColumn<long[]>("Neighbors").Zip(output.GetColumn<float[]>("Scores"))];
    }

    // The distinct vectors in no order.
    private static float[][] Repeated(int distinct, int count, int seed)
    {
        var vectors = Vectors(distinct, seed);
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => vectors[random.Next(distinct)])];
    }

    private static float[][] Vectors(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Dimension).Select(_ => (float)EmbeddingRows.Normal(random)).ToArray())];
    }

    private static float[] Unit(float[] vector)
    {
        var length = Math.Sqrt(vector.Sum(value => (double)value * value));
        return [.. vector.Select(value => (float)(value / length))];
    }

    private static double Cosine(float[] a, float[] b) => EmbeddingRows.Cosine(a, b);

    private static (int Row, float Score)[] Nearest(float[][] references, float[] query, int k)
        => [.. references.Select((reference, row) => (Row: row, Score: (float)Cosine(query, reference))).OrderByDescending(pair => pair.Score)
            .ThenBy(pair => pair.Row).Take(k)];
}
