using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Evaluation;

/// <summary>Evaluations of embeddings with copies, ties, vectors without direction and hardly any rows, against plain loops.</summary>
[TestClass]
public sealed class HardCaseTests
{
    private const int Dimension = 23;

    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly List<string> _warnings = [];

    public HardCaseTests() => _mlContext.Log += (_, e) => _warnings.Add(e.Message);

    private SelfSupervisedCatalog Ssl => _mlContext.SelfSupervised();

    [TestMethod]
    public void Copies_of_a_target_share_their_ranks()
    {
        // Ten targets, in no order, and noisy queries.
        var targets = Vectors(10, 1);
        var random = new Random(2);
        var rows = Enumerable.Range(0, 211).Select(i => new Row { Second = targets[random.Next(10)] }).ToArray();
        foreach (var row in rows)
            row.Features = [.. row.Second.Select(value => value + 2 * (random.NextSingle() - 0.5f))];
        var metrics = Ssl.EvaluateRetrieval(View(rows), "Features", "Second", [1, 20, 211]);
        double[] ranks = [.. rows.Select(row =>
        {
            var own = Cosine(row.Features, row.Second);
            var better = rows.Count(other => other.Second != row.Second && Cosine(row.Features, other.Second) > own);
            return better + (rows.Count(other => other.Second == row.Second) + 1) / 2.0;
        })];
        foreach (var k in new[] { 1, 20, 211 })
            Assert.AreEqual(ranks.Count(rank => rank <= k) / 211.0, metrics.RecallAtK[k], 1e-12, $"recall@{k}");
        Assert.AreEqual(ranks.Average(rank => 1 / rank), metrics.MeanReciprocalRank, 1e-12);
        Assert.AreEqual(ranks.Order().ElementAt(105), metrics.MedianRank);
    }

    [TestMethod]
    public void Copies_in_a_pair_are_equally_similar()
    {
        // Half of the pairs are the same vector twice, at any length: their cosines are 1, all of them.
        var random = new Random(1);
        var rows = Vectors(60, 3).Select((vector, i) => new Row
        {
            Features = vector, Second = [.. vector.Select(value => i % 2 == 0 ? 3 * value : value + random.NextSingle())], Number = i % 2 == 0 ? 5 : random.Next(5),
        }).ToArray();
        var metrics = Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Number");
        double[] cosines = [.. rows.Select((row, i) => i % 2 == 0 ? 1 : Cosine(row.Features, row.Second))], labels = [.. rows.Select(row => (double)row.Number)];
        Assert.AreEqual(Pearson(Ranks(cosines), Ranks(labels)), metrics.SpearmanCorrelation, 1e-9);
        Assert.AreEqual(Pearson(cosines, labels), metrics.PearsonCorrelation, 1e-5);

        // Collapsed: nothing varies, nothing correlates, whatever rounding leaves.
        foreach (var row in rows)
            row.Second = [.. row.Features.Select(value => 0.7f * value)];
        var collapsed = Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Number");
        Assert.IsTrue(double.IsNaN(collapsed.SpearmanCorrelation) && double.IsNaN(collapsed.PearsonCorrelation));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(6)]
    [DataRow(500)]
    public void A_vote_among_copies_is_that_of_loops(int k)
    {
        // Every vector four times, in three classes.
        var rows = Vectors(15, 1).SelectMany(vector => Enumerable.Repeat(vector, 4)).Select((vector, i) => new Row
        {
            Features = vector, Second = vector, Class = "abc"[(i * 7 + i / 5) % 3].ToString(),
        }).ToArray();
        new Random(4).Shuffle(rows);
        var metrics = Ssl.EvaluateRepresentation(Keyed(rows), new RepresentationEvaluationOptions
        {
            LabelColumnName = "Label", PairColumnName = "Second", NumberOfNeighbors = k, Temperature = 0.5, Seed = 1,
        });
        string[] classes = [.. rows.Select(row => row.Class).Distinct()];
        var right = Enumerable.Range(0, rows.Length).Count(i =>
        {
            var votes = new double[3];
            foreach (var (row, score) in rows.Select((row, j) => (Row: j, Score: (float)Cosine(rows[i].Features, row.Features))).Where(p => p.Row != i)
                .OrderByDescending(p => p.Score).ThenBy(p => p.Row).Take(k))
            {
                votes[Array.IndexOf(classes, rows[row].Class)] += Math.Exp((score - 1) / 0.5);
            }
            float[] shares = [.. votes.Select(vote => (float)(vote / votes.Sum()))];
            return classes[Array.IndexOf(shares, shares.Max())] == rows[i].Class;
        });
        Assert.AreEqual(right / 60.0, metrics.NearestNeighborAccuracy!.Value, 1e-12);
        Assert.AreEqual(0, metrics.Alignment!.Value, 1e-12);
        double sum = 0;
        for (var i = 0; i < 60; i++)
            for (var j = 0; j < 60; j++)
                sum += i == j ? 0 : Math.Exp(4 * (Cosine(rows[i].Features, rows[j].Features) - 1));
        Assert.AreEqual(Math.Log(sum / (60 * 59)), metrics.Uniformity, 1e-5);
    }

    [TestMethod]
    public void Vectors_that_do_not_count_are_told_with_row_and_column()
    {
        var rows = Vectors(12, 1).Select(vector => new Row { Features = vector, Second = [.. vector] }).ToArray();
        for (var i = 0; i < rows.Length; i++)
            rows[i].Number = i;
        rows[3].Second[7] = float.NegativeInfinity;
        rows[5].Features = new float[Dimension];
        const string expected = "2 of 12 rows do not count: their vectors are zero, NaN or infinite. The first is row 3 (rows and slots count from 0): slot 7 of "
            + "column 'Second' is infinite.";
        Assert.AreEqual(10, Ssl.EvaluateRetrieval(View(rows), "Features", "Second").NumberOfQueries);
        Told(expected);
        Assert.AreEqual(10, Ssl.EvaluateSimilarity(View(rows), "Features", "Second", "Number").NumberOfPairs);
        Told(expected);
        Assert.AreEqual(11, Ssl.EvaluateRepresentation(View(rows)).NumberOfRows);
        Told("1 of 12 rows do not count: their vectors are zero, NaN or infinite. The first is row 5 (rows and slots count from 0): the vector in column "
            + "'Features' is zero.");
        var message = Assert.ThrowsExactly<InvalidOperationException>(() => Ssl.EvaluateRepresentation(View(rows[5..7]))).Message;
        StringAssert.Contains(message, "There are 1 usable rows among 2, at least 2 are needed");
        StringAssert.Contains(message, "The first is row 0 (rows and slots count from 0): the vector in column 'Features' is zero.");
    }

    private void Told(string text)
    {
        Assert.IsTrue(_warnings.Any(w => w.Contains(text, StringComparison.Ordinal)), string.Join("\n", _warnings));
        _warnings.Clear();
    }

    private IDataView View(IEnumerable<Row> rows)
    {
        var definition = SchemaDefinition.Create(typeof(Row));
        foreach (var name in new[] { "Features", "Second" })
            definition[name].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Dimension);
        return _mlContext.Data.LoadFromEnumerable(rows.ToArray(), definition);
    }

    private IDataView Keyed(IEnumerable<Row> rows)
    {
        var view = View(rows);
        return _mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(view).Transform(view);
    }

    private static float[][] Vectors(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, Dimension).Select(_ => random.NextSingle() - 0.4f).ToArray())];
    }

    private static double Cosine(float[] a, float[] b)
    {
        double product = 0, first = 0, second = 0;
        for (var i = 0; i < a.Length; i++)
            (product, first, second) = (product + (double)a[i] * b[i], first + (double)a[i] * a[i], second + (double)b[i] * b[i]);
        return product / Math.Sqrt(first * second);
    }

    private static double Pearson(double[] a, double[] b)
    {
        var (x, y) = (a.Average(), b.Average());
        return a.Zip(b, (p, q) => (p - x) * (q - y)).Sum() / Math.Sqrt(a.Sum(p => (p - x) * (p - x)) * b.Sum(q => (q - y) * (q - y)));
    }

    // Equal values share the mean of their ranks.
    private static double[] Ranks(double[] values)
        => [.. values.Select(value => values.Count(other => other < value) + (values.Count(other => other == value) + 1) / 2.0)];

    private sealed class Row
    {
        public string Class { get; set; } = "";
        public float Number { get; set; }
        public float[] Features { get; set; } = [];
        public float[] Second { get; set; } = [];
    }
}
