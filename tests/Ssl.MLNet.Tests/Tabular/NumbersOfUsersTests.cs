using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;

namespace Ssl.MLNet.Tests.Tabular;

/// <summary>Numbers as users have them: in any unit and of any type, constant, with outliers; dates, keys and identifiers.</summary>
[TestClass]
public sealed class NumbersOfUsersTests
{
    private const int Count = 80;

    private readonly List<string> _log = [];

    private MLContext Context()
    {
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) =>
        {
            lock (_log)
                _log.Add($"{e.Kind}: {e.Message}");
        };
        return mlContext;
    }

    private string[] Warnings()
    {
        lock (_log)
            return [.. _log.Where(line => line.StartsWith(nameof(Microsoft.ML.Runtime.ChannelMessageKind.Warning), StringComparison.Ordinal))];
    }

    private static EncoderTransformer Fit(MLContext mlContext, IDataView data, NumericScaling scaling, params string[] columns)
        => mlContext.SelfSupervised().Tabular.MaskedCells(new MaskedCellsTrainer.Options
        {
            InputColumnNames = columns, Encoder = TabularEncoders.Mlp(1, 8), BatchSize = 40, NumberOfEpochs = 1, NumericScaling = scaling, Seed = 1,
        }).Fit(data);

    private static float[][] Embed(EncoderTransformer encoder, IDataView data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];

    private static IDataView View<TRow>(MLContext mlContext, IEnumerable<TRow> rows) where TRow : class => mlContext.Data.LoadFromEnumerable(rows.ToArray());

    [TestMethod]
    [DataRow(NumericScaling.Quantile)]
    [DataRow(NumericScaling.ZScore)]
    [DataRow(NumericScaling.Robust)]
    public void TheUnitOfAColumnChangesNothing(NumericScaling scaling)
    {
        float[][] Learn(double unit)
        {
            var mlContext = Context();
            var data = View(mlContext, Enumerable.Range(0, Count).Select(i => new DoubleRow { Number = (i * 37 % 101 - 30) * unit, Other = i % 7 }));
            using var encoder = Fit(mlContext, data, scaling, "Number", "Other");
            return Embed(encoder, data);
        }
        var plain = Learn(1);
        // Powers of two: not a bit may differ.
        foreach (var power in (int[])[-660, -100, -30, 30, 100, 660])
        {
            foreach (var (expected, actual) in plain.Zip(Learn(Math.ScaleB(1, power))))
                CollectionAssert.AreEqual(expected, actual, $"2^{power}");
        }
    }

    [TestMethod]
    public void RowsThatOnlyDoubleTellsApartAreTold()
    {
        var mlContext = Context();
        var data = View(mlContext, Enumerable.Range(0, Count).Select(i => new TypesRow
        {
            Seconds = 1.7e9 + i, Identifier = 4_000_000_000_000_000 + i, Unsigned = 9_007_199_254_000_000ul + (ulong)(8 * i),
            Price = 98_765_432.10 + 0.01 * i, Date = new DateTime(2024, 5, 1).AddSeconds(i), Offset = new DateTimeOffset(2024, 5, 1, 0, 0, 0,
                TimeSpan.FromHours(i % 2)).AddMinutes(i), Duration = TimeSpan.FromDays(20_000).Add(TimeSpan.FromMilliseconds(i)),
            Vector = [5e9 + i, -i * 1e-15],
        }));
        foreach (var column in (string[])["Seconds", "Identifier", "Unsigned", "Price", "Date", "Offset", "Duration", "Vector"])
        {
            using var encoder = Fit(mlContext, data, NumericScaling.Quantile, column);
            Assert.IsGreaterThan(Count - 5, Embed(encoder, data).Select(row => string.Join(' ', row)).Distinct().Count(), column);
        }
        Assert.HasCount(0, Warnings(), string.Join('\n', Warnings()));
        using var dated = Fit(mlContext, data, NumericScaling.Quantile, "Date");
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => dated.Transform(mlContext.Transforms.CopyColumns("Date", "Seconds").Fit(data)
            .Transform(data)));
        StringAssert.Contains(fault.Message, "expected DateTime or DateTimeOffset, got Double");
    }

    [TestMethod]
    public void ADateThatNobodySetIsMissing()
    {
        var mlContext = Context();
        var data = View(mlContext, Enumerable.Range(0, Count).Select(i => new TypesRow { Date = i % 4 == 0 ? default : new DateTime(2024, 5, 1).AddDays(i) }));
        using var encoder = Fit(mlContext, data, NumericScaling.Quantile, "Date");
        var view = encoder.Transform(data);
        VBuffer<ReadOnlyMemory<char>> names = default;
        view.Schema["Features"].Annotations.GetValue("SlotNames", ref names);
        var missing = names.DenseValues().ToList().FindIndex(name => name.ToString() == "Date.missing");
        var marks = view.GetColumn<float[]>("Features").Select(row => row[missing]).ToArray();
        Assert.AreEqual(Count / 4, marks.Count(mark => mark == marks[0]));
        Assert.AreNotEqual(marks[0], marks[1]);
    }

    [TestMethod]
    public void ColumnsOfOneValueAreNamedAtFitAndAtScoring()
    {
        var mlContext = Context();
        ConstantRow Row(int i) => new() { Number = i, Constant = 0.1, Flag = true, Text = "same", None = float.NaN, Cells = [i, 3, 3] };
        string[] columns = ["Number", "Constant", "Flag", "Text", "None", "Cells"];
        var data = View(mlContext, Enumerable.Range(0, Count).Select(Row));
        using var encoder = Fit(mlContext, data, NumericScaling.Quantile, columns);
        var warning = Warnings().Single();
        StringAssert.Contains(warning, "'Constant' (0.1), 'Flag' ('1'), 'Text' ('same'), 'None' (no value), 'Cells.1' (3), 'Cells.2' (3)");
        _log.Clear();

        Embed(encoder, data);
        Assert.HasCount(0, Warnings(), "the training data themselves are as they were");
        var later = Enumerable.Range(0, 10).Select(Row).ToArray();
        (later[0].Constant, later[1].Constant, later[2].Flag, later[3].Text, later[4].None) = (0.2, double.PositiveInfinity, false, "other", 1);
        (later[5].Constant, later[5].Text, later[5].Cells) = (double.NaN, "", [float.NaN, float.NaN, 3]);
        var view = encoder.Transform(View(mlContext, later));
        for (var pass = 0; pass < 3; pass++)
            _ = view.GetColumn<float[]>("Features").Count();
        warning = Warnings().Single();
        StringAssert.Contains(warning, "Scoring: 2 of 10 rows have another value in 'Constant' than in the training data, which had 0.1 only");
        foreach (var cell in (string[])["'Flag'", "'Text'", "'None'"])
            StringAssert.Contains(warning, $"1 of 10 rows have another value in {cell}");
        Assert.IsFalse(warning.Contains("Cells", StringComparison.Ordinal), "what is missing is marked as that");

        // Row by row, in a saved model, as errors and in fine-tuning, too.
        var path = Path.Combine(Path.GetTempPath(), $"constants-{Guid.NewGuid():N}.ssl");
        try
        {
            mlContext.SelfSupervised().SaveEncoder(encoder, path);
            using var loaded = mlContext.SelfSupervised().LoadEncoder(path);
            _log.Clear();
            using (var engine = mlContext.Model.CreatePredictionEngine<ConstantRow, Embedded>(loaded))
            {
                engine.Predict(Row(1));
                Assert.HasCount(0, Warnings());
                engine.Predict(later[2]);
                engine.Predict(later[3]);
            }
            StringAssert.Contains(Warnings().Single(), "another value in 'Flag'");
            _log.Clear();
            loaded.ReconstructionErrors(View(mlContext, later));
            StringAssert.Contains(Warnings().Single(), "another value in 'Constant'");
            _log.Clear();
            using var anomalies = mlContext.SelfSupervised().AnomalyScore(new AnomalyScoreEstimator.Options
                { Method = AnomalyMethod.ReconstructionError, Encoder = loaded }).Fit(data);
            _ = anomalies.Transform(View(mlContext, later)).GetColumn<float>("Score").Count();
            StringAssert.Contains(Warnings().Single(), "another value in 'Constant'");
            _log.Clear();
            using var tuned = mlContext.SelfSupervised().FineTune.Regression(loaded, "Label", numberOfEpochs: 1).Fit(View(mlContext, later));
            Assert.IsTrue(Warnings().Any(line => line.Contains("Fine-tuning: 2 of 10 rows have another value in 'Constant'", StringComparison.Ordinal)),
                string.Join('\n', Warnings()));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void OutliersAreSaidAndRobustScalingWithstandsThem()
    {
        float Spread(NumericScaling scaling, out string[] warnings)
        {
            var mlContext = Context();
            _log.Clear();
            var rows = Enumerable.Range(0, Count).Select(i => new DoubleRow { Number = i == 7 ? 1e12 : i % 10, Other = i % 3 }).ToArray();
            using var encoder = mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
            {
                InputColumnNames = ["Number", "Other"], Encoder = TabularEncoders.Mlp(1, 8), BatchSize = 40, NumberOfEpochs = 0,
                NumericScaling = scaling, IncludeInputFeatures = false,
            }).Fit(View(mlContext, rows));
            warnings = Warnings();
            var two = Embed(encoder, View(mlContext, [new DoubleRow { Number = 0 }, new DoubleRow { Number = 9 }]));
            return two[0].Zip(two[1], (a, b) => Math.Abs(a - b)).Max();
        }
        Assert.IsLessThan(1e-5f, Spread(NumericScaling.ZScore, out var warnings));
        StringAssert.Contains(warnings.Single(), "'Number' (from 0 to 1E+12");
        StringAssert.Contains(warnings[0], "Set NumericScaling to Robust");
        foreach (var scaling in (NumericScaling[])[NumericScaling.Robust, NumericScaling.Quantile])
        {
            Assert.IsGreaterThan(1e-2f, Spread(scaling, out warnings));
            Assert.HasCount(0, warnings, string.Join('\n', warnings));
        }
    }

    [TestMethod]
    public void LabelsAreStandardizedInDoubleWhateverTheirType()
    {
        var mlContext = Context();
        var ssl = mlContext.SelfSupervised();
        var rows = Enumerable.Range(0, Count).Select(i => new DoubleRow
        {
            Number = i % 10, Other = i % 3, Label = i % 10 * 0.5f, Seconds = 1_700_000_000L + i % 10, Tiny = i % 10 * 1e-30, Same = 0.1,
            Beyond = 1e300 * (i % 10),
        }).ToArray();
        var data = View(mlContext, rows);
        using var encoder = Fit(mlContext, data, NumericScaling.Quantile, "Number", "Other");
        double[] Predict(string label)
        {
            using var model = ssl.FineTune.Regression(new RegressionFineTuningTrainer.Options
                { Encoder = encoder, LabelColumnName = label, NumberOfEpochs = 2, Seed = 1, ValidationFraction = 0 }).Fit(data);
            var estimator = ssl.FineTune.Regression(encoder, label);
            _ = estimator.GetOutputSchema(ShapeProbe(mlContext, data));
            return [.. model.Transform(data).GetColumn<float>("Score").Select(score => (double)score)];
        }
        var plain = Predict("Label");
        var tiny = Predict("Tiny");
        for (var i = 0; i < Count; i++)
            Assert.AreEqual(plain[i] / 0.5, tiny[i] / 1e-30, 1e-4);
        // A prediction is a Single: of 1.7e9 it has steps of 128.
        Assert.IsTrue(Predict("Seconds").All(score => Math.Abs(score - 1.7e9) <= 256));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Predict("Beyond")).Message,
            "Labels in column 'Beyond' go from 0 to 9E+300, which predictions, Single as everywhere in ML.NET, cannot hold");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Predict("Same")).Message, "have the same label");
        using var few = ssl.FewLabels.Regression(new FewLabelsTrainer.Options { LabelColumnName = "Seconds", Trees = FewLabelsTrainer.Usage.Never }).Fit(encoder.Transform(data));
        Assert.IsTrue(few.Transform(encoder.Transform(data)).GetColumn<float>("Score").All(score => Math.Abs(score - 1.7e9) <= 256));
    }

    [TestMethod]
    public void IdentifiersKeysAndBooleansWithGapsAreTakenAndSaid()
    {
        var mlContext = Context();
        var rows = Enumerable.Range(0, Count).Select(i => new OddRow
        {
            Id = new Guid(i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString(), Number = i % 9, Key = (uint)(i % 4), AsNumber = i % 5 == 0 ? float.NaN : i % 2,
            AsText = i % 5 == 0 ? "" : i % 2 == 0 ? "true" : "false",
        });
        var view = View(mlContext, rows);
        var data = mlContext.Transforms.Conversion.Hash("Hashed", "Id", numberOfBits: 30).Fit(view).Transform(view);
        using var encoder = Fit(mlContext, data, NumericScaling.Quantile, "Id", "Number", "Key", "AsNumber", "AsText", "Hashed");
        var warnings = string.Join('\n', Warnings());
        StringAssert.Contains(warnings, $"'Id' has {Count} different values in {Count} rows, nearly every row its own");
        StringAssert.Contains(warnings, "'Key' is a key without values: its numbers are the categories");
        StringAssert.Contains(warnings, "'Hashed' is a key without values");
        Assert.IsTrue(Embed(encoder, data).All(row => row.All(float.IsFinite)));
        var names = encoder.GetOutputSchema(data.Schema)["Features"];
        VBuffer<ReadOnlyMemory<char>> slots = default;
        names.Annotations.GetValue("SlotNames", ref slots);
        string[] all = [.. slots.DenseValues().Select(name => name.ToString())];
        Assert.HasCount(TableLayout.SpecialCount + 4, all.Where(name => name.StartsWith("Key.", StringComparison.Ordinal)).ToArray());
        Assert.HasCount(TableLayout.SpecialCount + 2, all.Where(name => name.StartsWith("AsText.", StringComparison.Ordinal)).ToArray());
        CollectionAssert.Contains(all, "AsNumber.missing");
    }

    [TestMethod]
    public void KeysOfAnotherNumberingAreSaid()
    {
        var mlContext = Context();
        var rows = View(mlContext, Enumerable.Range(0, Count).Select(i => new OddRow { Number = i % 9, Key = (uint)(i % 4), AsText = "abcd"[i % 4].ToString() }));
        var named = mlContext.Transforms.Conversion.MapValueToKey("Key", "AsText").Fit(rows).Transform(rows);
        foreach (var (training, other) in ((IDataView, IDataView)[])[(rows, named), (named, rows)])
        {
            using var encoder = Fit(mlContext, training, NumericScaling.Quantile, "Number", "Key");
            _log.Clear();
            Embed(encoder, training);
            Assert.HasCount(0, Warnings());
            Embed(encoder, other);
            StringAssert.Contains(Warnings().Single(), $"{Count} of {Count} rows have a category in 'Key' that the training data did not have");
            // A few new ones are usual.
            _log.Clear();
            Embed(encoder, mlContext.Data.TakeRows(other, 10));
            Assert.HasCount(0, Warnings());
        }
    }

    [TestMethod]
    public void TheBaselineOfALabelEfficiencySeesDatesAndLargeNumbers()
    {
        var mlContext = Context();
        var rows = Enumerable.Range(0, 120).Select(i => new LabeledRow
            { Seconds = 1_700_000_000 + i, Date = new DateTime(2024, 1, 1).AddSeconds(i), Class = i < 60 ? "early" : "late" }).ToArray();
        var data = mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(View(mlContext, rows)).Transform(View(mlContext, rows));
        foreach (var column in (string[])["Seconds", "Date"])
        {
            using var encoder = Fit(mlContext, data, NumericScaling.Quantile, column);
            var report = mlContext.SelfSupervised().LabelEfficiency(data, encoder, new LabelEfficiencyOptions
                { LabelsPerClass = [20], NumberOfDraws = 1, Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], Seed = 1 });
            Assert.IsGreaterThan(0.9, report.Results.Single(result => result is { Approach: LabelEfficiencyApproach.Baseline, IsCandidate: false }).Mean, column);
        }
    }

    private static SchemaShape ShapeProbe(MLContext mlContext, IDataView data) => Ssl.MLNet.Testing.ShapeProbe.Of(mlContext, data);

    private sealed class DoubleRow
    {
        public double Number { get; set; }
        public float Other { get; set; }
        public float Label { get; set; }
        public long Seconds { get; set; }
        public double Tiny { get; set; }
        public double Same { get; set; }
        public double Beyond { get; set; }
    }

    private sealed class LabeledRow
    {
        public long Seconds { get; set; }
        public DateTime Date { get; set; }
        public string Class { get; set; } = "";
    }

    private sealed class TypesRow
    {
        public double Seconds { get; set; }
        public long Identifier { get; set; }
        public ulong Unsigned { get; set; }
        public double Price { get; set; }
        public DateTime Date { get; set; }
        public DateTimeOffset Offset { get; set; }
        public TimeSpan Duration { get; set; }
        [VectorType(2)] public double[] Vector { get; set; } = [0, 0];
    }

    private sealed class ConstantRow
    {
        public double Number { get; set; }
        public double Constant { get; set; }
        public bool Flag { get; set; }
        public string Text { get; set; } = "";
        public float None { get; set; }
        [VectorType(3)] public float[] Cells { get; set; } = [];
        public float Label => (float)Number;
    }

    private sealed class OddRow
    {
        public string Id { get; set; } = "";
        public float Number { get; set; }
        [KeyType(4)] public uint Key { get; set; }
        public float AsNumber { get; set; }
        public string AsText { get; set; } = "";
    }

    private sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }
}
