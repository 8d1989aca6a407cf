using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Evaluation;
using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.MLNet.Tests.Evaluation;

/// <summary>What pretraining has to beat where the user gives no pipeline.</summary>
[TestClass]
public sealed class StockBaselineTests
{
    private const float None = float.NaN;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public void On_categories_that_share_their_entries_pretraining_does_not_pay()
    {
        // The class is the column that says "high". The words of all columns together are the same in every row.
        var random = new Random(1);
        string[] Entries(int high) => [.. Enumerable.Range(0, 3).Select(c => c == high ? "high" : "low")];
        var rows = Enumerable.Range(0, 240).Select(i => Entries(i % 3) is var e ? new Categories
        {
            First = e[0], Second = e[1], Third = e[2], Other = random.Next(2) == 0 ? "high" : "low", Label = $"{"abc"[i % 3]}",
        } : null!).ToArray();
        var data = Keyed(rows);
        using var encoder = Encoder(data, nameof(Categories.First), nameof(Categories.Second), nameof(Categories.Third), nameof(Categories.Other));
        var report = Compare(data, encoder, [4]);
        StringAssert.StartsWith(report.Conclusion, "Pretraining does not pay here");
        Assert.IsGreaterThan(0.95, report.Results.Single(r => r.Name == "baseline").Mean);
    }

    [TestMethod]
    public void Trees_are_taken_where_they_are_better_and_both_candidates_are_shown()
    {
        // A square in the middle: no line cuts it out.
        var random = new Random(1);
        var rows = Enumerable.Range(0, 300).Select(_ => new Numbers { A = random.NextSingle(), B = random.NextSingle() }).ToArray();
        foreach (var row in rows)
            row.Label = Math.Abs(row.A - 0.5) < 0.35 && Math.Abs(row.B - 0.5) < 0.35 ? "in" : "out";
        var data = Keyed(rows);
        using var encoder = Encoder(data, nameof(Numbers.A), nameof(Numbers.B));
        var report = Compare(data, encoder, [25]);
        CollectionAssert.AreEqual(new[] { "baseline", "linear", "boosted trees", "probe" }, report.Results.Select(r => r.Name).ToArray());
        CollectionAssert.AreEqual(new[] { false, true, true, false }, report.Results.Select(r => r.IsCandidate).ToArray());
        Assert.IsTrue(report.Results[0].Settings.All(s => s.StartsWith("boosted trees: ", StringComparison.Ordinal)), report.Results[0].Settings[0]);
        CollectionAssert.AreEqual(report.Results[2].Accuracies.ToArray(), report.Results[0].Accuracies.ToArray());
        Assert.IsGreaterThan(report.Results[1].Mean + 0.1, report.Results[2].Mean);
        StringAssert.Contains(report.ToString(), "The baseline is what cross-validation chose: linear 0 of 1 times, boosted trees 1 of 1 times.");
    }

    [TestMethod]
    public void Features_are_scaled_by_all_rows_with_indicators_and_entries_of_each_column()
    {
        Mixed[] rows =
        [
            new() { Number = 1, Flag = true, City = "Ulm", Note = "red house" }, new() { Number = 3, City = "Bonn", Note = "a red red car" },
            new() { Number = None, City = "", Note = "" }, new() { Number = 8, City = "Ulm", Note = "Bonn" },
        ];
        // Texts differ in more than 20 ways, so that they are words.
        rows = [.. rows, .. Enumerable.Range(0, 30).Select(i => new Mixed { Number = float.PositiveInfinity, City = "Bonn", Note = $"same {(char)('a' + i % 26)}{(char)('a' + i / 26)}x" })];
        var data = Keyed(rows.Select(row => { row.Label = row.City == "Ulm" ? "u" : "v"; return row; }).ToArray());
        using var encoder = Encoder(data, nameof(Mixed.Number), nameof(Mixed.Flag), nameof(Mixed.City), nameof(Mixed.Note));
        var features = PlainFeatures.Learn(data, encoder.Model, default);
        float[][] all = [.. features.Of(data, default).Select(row => row.DenseValues().ToArray())];

        // By hand: number, its indicator, flag, Bonn, Ulm, no city, then the words.
        Assert.AreEqual(6, features.CellWidth);
        double mean = 4, deviation = Math.Sqrt((9 + 1 + 16) / 3.0);
        double share = 1 / 34.0, flagDeviation = Math.Sqrt(share * (1 - share));
        for (var i = 0; i < rows.Length; i++)
        {
            var missing = !float.IsFinite(rows[i].Number);
            double[] expected =
            [
                missing ? 0 : (rows[i].Number - mean) / deviation, missing ? 1 : 0, ((rows[i].Flag ? 1 : 0) - share) / flagDeviation,
                rows[i].City == "Bonn" ? 1 : 0, rows[i].City == "Ulm" ? 1 : 0, rows[i].City == "" ? 1 : 0,
            ];
            for (var slot = 0; slot < expected.Length; slot++)
                Assert.AreEqual(expected[slot], all[i][slot], 1e-5, $"row {i}, slot {slot}");
        }

        string[] Words(string note) => note.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] vocabulary = [.. rows.SelectMany(row => Words(row.Note)).Distinct().Order(StringComparer.Ordinal)];
        Assert.AreEqual(6 + vocabulary.Length, features.Width, "\"bonn\" is a word of the note, whatever the cities are");
        for (var i = 0; i < rows.Length; i++)
        {
            var weights = vocabulary.Select(word => Words(rows[i].Note).Count(w => w == word) is > 0 and var count
                ? (1 + Math.Log(count)) * (Math.Log(35.0 / (1 + rows.Count(row => Words(row.Note).Contains(word)))) + 1) : 0).ToArray();
            var length = Math.Sqrt(weights.Sum(w => w * w));
            for (var word = 0; word < weights.Length; word++)
                Assert.AreEqual(length == 0 ? 0 : weights[word] / length, all[i][6 + word], 1e-5, $"row {i}, {vocabulary[word]}");
        }
    }

    [TestMethod]
    public void Rows_without_a_label_scale_and_test_rows_do_not()
    {
        // Labeled rows lie between 0 and 1; the others stretch the scale a hundredfold.
        var random = new Random(1);
        var rows = Enumerable.Range(0, 60).Select(i => new Numbers
        {
            A = i < 40 ? (i % 2 == 0 ? 1 : 0) : 100 * random.NextSingle(), B = random.NextSingle(), Label = i < 40 ? (i % 2 == 0 ? "x" : "y") : "",
        }).ToArray();
        var data = Keyed(rows, "x", "y");
        using var encoder = Encoder(data, nameof(Numbers.A), nameof(Numbers.B));
        int[] kept = [0, 1];
        var labels = data.GetColumn<uint>("Label").ToArray();
        var labeled = new LabeledRows(data, labels, kept, [2, 3], new ChosenRowsView(data, kept), [1, 2]);
        float[] read = [.. labeled.Learned(data).GetColumn<float>("A")];
        CollectionAssert.AreEqual(rows.Skip(2).Select(row => row.A).ToArray(), read);
        var features = PlainFeatures.Learn(labeled.Learned(data), encoder.Model, default);
        var (mean, deviation) = (read.Average(), Math.Sqrt(read.Sum(a => Math.Pow(a - read.Average(), 2)) / read.Length));
        Assert.AreEqual((rows[0].A - mean) / deviation, features.Of(data, default).First().GetItemOrDefault(0), 1e-5);
    }

    [TestMethod]
    [DataRow(0, 0.1)]
    [DataRow(0, 0.003)]
    [DataRow(0.004, 0.01)]
    public void A_penalty_is_that_of_the_mean_loss(double l1, double l2)
    {
        var random = new Random(2);
        var rows = Enumerable.Range(0, 40).Select(_ => new VBuffer<float>(3, [random.NextSingle(), random.NextSingle() - 1, 3 * random.NextSingle()])).ToArray();
        int[] classes = [.. rows.Select(row => row.GetItemOrDefault(0) + 0.2 * random.NextSingle() > 0.7 ? 1 : row.GetItemOrDefault(2) > 1.5 ? 2 : 0)];
        var model = new StockSearch(rows, classes, 1, default).FitLinear(rows, [.. Enumerable.Range(0, 40)], new Penalty(l1, l2));

        using var scope = NewDisposeScope();
        var features = new DenseDesign(tensor(rows.SelectMany(row => row.DenseValues()).ToArray(), [40, 3]));
        var targets = nn.functional.one_hot(tensor(classes.Select(c => (long)c).ToArray()), 3).to(ScalarType.Float32);
        var other = SoftmaxRegression.Logits(features, SoftmaxRegression.Fit(features, targets, null, new Penalty(l1, l2), tolerance: 1e-9,
            maximumIterations: 2_000)).softmax(1).data<float>().ToArray();
        for (var i = 0; i < rows.Length; i++)
        {
            var outputs = model(rows[i]);
            FewLabelsModel.Normalize(outputs, 1);
            for (var k = 0; k < 3; k++)
                Assert.AreEqual(other[i * 3 + k], outputs[k], l1 > 0 ? 1e-2 : 2e-3, $"row {i}, class {k}");
        }
    }

    private LabelEfficiencyReport Compare(IDataView data, EncoderTransformer encoder, int[] labelsPerClass)
        => _mlContext.SelfSupervised().LabelEfficiency(data, encoder, new LabelEfficiencyOptions
        {
            LabelsPerClass = labelsPerClass, NumberOfDraws = 1, Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe],
        });

    private IDataView Keyed<T>(T[] rows, params string[] keys) where T : class
    {
        var view = _mlContext.Data.LoadFromEnumerable(rows);
        IDataView? values = keys.Length == 0 ? null : _mlContext.Data.LoadFromEnumerable(keys.Select(key => new Key { Label = key }));
        return _mlContext.Transforms.Conversion.MapValueToKey("Label", keyData: values).Fit(view).Transform(view);
    }

    private EncoderTransformer Encoder(IDataView data, params string[] columns) => _mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
    {
        InputColumnNames = columns, Encoder = TabularEncoders.Mlp(1, 16), NumberOfEpochs = 1, MinimumNumberOfSteps = 1, BatchSize = 64,
        MinimumCategoryCount = 1,
    }).Fit(data);

    private sealed class Key
    {
        public string Label { get; set; } = "";
    }

    private sealed class Categories
    {
        public string First { get; set; } = "";
        public string Second { get; set; } = "";
        public string Third { get; set; } = "";
        public string Other { get; set; } = "";
        public string Label { get; set; } = "";
    }

    private sealed class Numbers
    {
        public float A { get; set; }
        public float B { get; set; }
        public string Label { get; set; } = "";
    }

    private sealed class Mixed
    {
        public float Number { get; set; }
        public bool Flag { get; set; }
        public string City { get; set; } = "";
        public string Note { get; set; } = "";
        public string Label { get; set; } = "";
    }
}
