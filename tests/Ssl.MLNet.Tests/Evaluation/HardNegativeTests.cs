using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet.Tests.FineTuning;

namespace Ssl.MLNet.Tests.Evaluation;

[TestClass]
public sealed class HardNegativeTests
{
    private const int Dimension = 4;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(1, 1, 2, 0.05)]
    [DataRow(3, 1, 4, 0.0)]
    [DataRow(2, 3, 6, 0.2)]
    public void They_are_those_of_sorting_all_texts(int number, int first, int last, double margin)
    {
        var rows = Rows(60, 1);
        // The same anchor with two partners, and one text twice.
        rows[7].Anchor = [.. rows[3].Anchor];
        (rows[9].Text, rows[9].Positive) = (rows[4].Text, [.. rows[4].Positive]);
        var mined = Mine(rows, new() { NumberOfNegatives = number, FirstRank = first, LastRank = last, Margin = margin });
        var expected = new List<(int Id, string Negative)>();
        foreach (var row in rows)
        {
            var partners = rows.Where(other => other.Anchor.SequenceEqual(row.Anchor)).Select(other => other.Text).ToHashSet();
            var ranked = rows.Where(other => !partners.Contains(other.Text)).DistinctBy(other => other.Text)
                .OrderByDescending(other => Cosine(row.Anchor, other.Positive)).ToArray();
            expected.AddRange(ranked.Take(last).Skip(first - 1)
                .Where(other => Cosine(row.Anchor, other.Positive) <= Cosine(row.Anchor, row.Positive) - margin)
                .Take(number).Select(other => (row.Id, other.Text)));
        }

        CollectionAssert.AreEqual(expected, mined.Select(row => (row.Id, row.Negative)).ToList());
        Assert.IsTrue(mined.All(row => row.Text == rows[row.Id].Text), "every other column is the row's own");
        Assert.IsLessThan(60 * number, mined.Length, "some rows have fewer");
    }

    [TestMethod]
    public void A_further_round_learns_from_them()
    {
        var ssl = _mlContext.SelfSupervised();
        var rows = ContractData.Rows(96, 1);
        var view = _mlContext.Data.LoadFromEnumerable(rows);
        PairedContrastiveTrainer.Options Options(string? negative) => new()
        {
            InputColumnName = "Text", PairColumnName = "Pair", NegativeColumnName = negative,
                Encoder = TextEncoders.Bag(embeddingDimension: 16),
            BatchSize = 32, NumberOfEpochs = 3, VocabularySize = 300, MinimumTokenCount = 1, Seed = 1,
        };

        using var encoder = ssl.Text.PairedContrastive(Options(null)).Fit(view);
        var embedded = ssl.Embed(encoder, "A", "Text").Append(ssl.Embed(encoder, "B", "Pair")).Fit(view).Transform(view);
        var mined = ssl.MineHardNegatives(embedded, "A", "B", "Pair", margin: 0);
        Assert.AreEqual(TextDataViewType.Instance, mined.Schema["Negative"].Type);
        Assert.IsTrue(mined.GetColumn<string>("Negative").Zip(mined.GetColumn<string>("Pair")).All(pair => pair.First != pair.Second));
        using var again = ssl.Text.PairedContrastive(Options("Negative")).Fit(mined);
        using var without = ssl.Text.PairedContrastive(Options(null)).Fit(mined);
        Assert.IsFalse(Embeddings(again, view).SequenceEqual(Embeddings(without, view)), "the negatives count");
        Assert.AreEqual("Text", again.InputColumnNames.Single());
    }

    [TestMethod]
    public void Faults_are_named()
    {
        var rows = Rows(10, 2);
        void Refused<T>(string expected, Action<HardNegativeOptions> change) where T : Exception
        {
            StringAssert.Contains(Assert.ThrowsExactly<T>(() => Mine(rows, new(), change)).Message, expected);
        }

        Refused<ArgumentOutOfRangeException>("NumberOfNegatives must be at least 1, got 0. FirstRank must be at least 1, got 0.",
            o => (o.NumberOfNegatives, o.FirstRank) = (0, 0));
        Refused<ArgumentOutOfRangeException>("LastRank must be at least 5, got 4. Margin must be between 0 and 2, got -1.",
            o => (o.FirstRank, o.LastRank, o.Margin) = (5, 4, -1));
        Refused<ArgumentOutOfRangeException>("Could not find anchor column 'Gone'", o => o.AnchorColumnName = "Gone");
        Refused<ArgumentOutOfRangeException>("Schema mismatch for positive column 'Text': expected Vector<Single>, got String",
            o => o.PositiveColumnName = "Text");
        Refused<ArgumentOutOfRangeException>("Schema mismatch for input column 'Anchor': expected String",
            o => o.TextColumnName = "Anchor");
        Refused<InvalidOperationException>("No row has a hard negative", o => o.Margin = 2);
        var e = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _mlContext.SelfSupervised().Text.PairedContrastive(
            new PairedContrastiveTrainer.Options { NegativeColumnName = " " }));
        StringAssert.Contains(e.Message, "NegativeColumnName must not be empty");
    }

    private Mined[] Mine(Row[] rows, HardNegativeOptions options, Action<HardNegativeOptions>? change = null)
    {
        (options.AnchorColumnName, options.PositiveColumnName, options.TextColumnName) = ("Anchor", "Positive", "Text");
        change?.Invoke(options);
        var definition = SchemaDefinition.Create(typeof(Row));
        foreach (var name in new[] { "Anchor", "Positive" })
            definition[name].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Dimension);
        var mined = _mlContext.SelfSupervised().MineHardNegatives(_mlContext.Data.LoadFromEnumerable(rows, definition), options);
        Mined[] found = [.. _mlContext.Data.CreateEnumerable<Mined>(mined, reuseRowObject: false)];
        Assert.AreEqual(mined.GetRowCount(), found.Length);
        return found;
    }

    private static float[] Embeddings(EncoderTransformer encoder, IDataView view)
        => [.. FineTuningData.Embeddings(encoder, view).SelectMany(v => v)];

    private static Row[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        float[] Draw() => [.. Enumerable.Range(0, Dimension).Select(_ => 2 * random.NextSingle() - 1)];
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var anchor = Draw();
            return new Row { Id = i, Text = $"text {i}", Anchor = anchor, Positive = [.. anchor.Zip(Draw(), (a, b) => a + b / 2)] };
        })];
    }

    private static double Cosine(float[] a, float[] b)
        => a.Zip(b, (x, y) => (double)x * y).Sum() / Math.Sqrt(a.Sum(x => (double)x * x) * b.Sum(x => (double)x * x));

    private sealed class Row
    {
        public int Id { get; set; }

        public string Text { get; set; } = "";

        public float[] Anchor { get; set; } = [];

        public float[] Positive { get; set; } = [];
    }

    private sealed class Mined
    {
        public int Id { get; set; }

        public string Text { get; set; } = "";

        public string Negative { get; set; } = "";
    }
}
