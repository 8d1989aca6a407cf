using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Evaluation;
using Ssl.MLNet.Tests.FineTuning;

namespace Ssl.MLNet.Tests.Evaluation;

[TestClass]
public sealed class LabelEfficiencyTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    public void All_four_are_compared_and_the_same_seed_gives_the_same_report()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        var data = Data(100);
        var before = FineTuningData.Embeddings(encoder, data);
        var reports = new List<LabelEfficiencyProgress>();
        LabelEfficiencyReport Compare(int[] labelsPerClass) => _mlContext.SelfSupervised().LabelEfficiency(data, encoder, Options(o =>
        {
            o.LabelsPerClass = labelsPerClass;
            o.Seed = 3;
            o.Progress = new Collect(reports);
        }));

        var report = Compare([12, 2]);
        Assert.IsTrue(report.IsComplete);
        CollectionAssert.AreEqual(new[] { "2 a class", "12 a class" }, report.Results.Select(r => r.Budget).Distinct().ToArray());
        CollectionAssert.AreEqual(new[] { 8, 48 }, report.Results.Select(r => r.NumberOfLabels).Distinct().ToArray());
        Assert.HasCount(8, report.Results);
        Assert.IsTrue(report.Results.All(r => r.Accuracies.Count == 2 && r.Accuracies.All(a => a is >= 0 and <= 1)));
        Assert.AreEqual(20, report.NumberOfTestRows);
        foreach (var approach in Enum.GetValues<LabelEfficiencyApproach>())
        {
            var most = report.Results.Last(r => r.Approach == approach);
            Assert.IsGreaterThan(0.5, most.Mean, $"{approach} learns something from 48 labels of 4 classes");
        }

        Assert.HasCount(16, reports);
        Assert.AreEqual(16, reports[^1].Done);
        Assert.AreEqual(16, reports[^1].Total);
        var text = report.ToString();
        foreach (var part in new[] { "baseline", "probe", "fine-tuned", "from scratch", "2 a class (8)", " ±", "over 2 draws", "Pretraining " })
            StringAssert.Contains(text, part);
        var again = Compare([2]);
        foreach (var (first, second) in report.Results.Zip(again.Results))
            CollectionAssert.AreEqual(first.Accuracies.ToArray(), second.Accuracies.ToArray(), $"{first.Budget}, {first.Name}");
        FineTuningData.AssertEqual(before, FineTuningData.Embeddings(encoder, data), 0);
    }

    [TestMethod]
    public void Labels_are_drawn_by_class_nested_and_never_from_the_test_rows()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        var recorded = new List<(int Id, string Subject)[]>();
        var baseline = new Recorder(_mlContext.Transforms.CopyColumns("Plain", "Features")
            .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Plain")), recorded);
        var data = encoder.Transform(Data(120));
        var report = _mlContext.SelfSupervised().LabelEfficiency(data, encoder, Options(o =>
        {
            o.LabelsPerClass = [3, 9];
            o.Baseline = baseline;
            o.Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe];
        }));
        Assert.HasCount(4, recorded);
        for (var i = 0; i < 4; i++)
        {
            var perClass = i < 2 ? 3 : 9;
            Assert.HasCount(4 * perClass, recorded[i]);
            Assert.IsTrue(recorded[i].GroupBy(r => r.Subject)
                .All(g => g.Count() == perClass && g.Select(r => r.Id).Distinct().Count() == perClass));
        }

        for (var draw = 0; draw < 2; draw++)
            Assert.IsEmpty(recorded[draw].Except(recorded[draw + 2]), "fewer labels are among the more");
        Assert.IsTrue(recorded[0].Except(recorded[1]).Any(), "draws differ");
        Assert.IsTrue(baseline.Tested.All(id => recorded.All(rows => rows.All(row => row.Id != id))));
        Assert.HasCount(report.NumberOfTestRows, baseline.Tested.Distinct());
        Assert.HasCount(4, report.Results);
        // Rows of the data are numbered as they come: their ids.
        for (var i = 0; i < 4; i++)
        {
            CollectionAssert.AreEquivalent(recorded[i].Select(r => r.Id).ToArray(), report.Results[i < 2 ? 0 : 2].LabeledRows[i % 2].ToArray());
            CollectionAssert.AreEqual(report.Results[0].LabeledRows[0].ToArray(), report.Results[1].LabeledRows[0].ToArray(), "of all approaches");
        }
        CollectionAssert.AreEqual(baseline.Tested.Distinct().Order().ToArray(), report.TestRows.ToArray());
    }

    [TestMethod]
    public void Every_call_draws_the_same_rows_and_another_seed_others()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        var data = Data(80);
        LabelEfficiencyReport Compare(int? seed = 0) => _mlContext.SelfSupervised().LabelEfficiency(data, encoder, Options(o =>
        {
            o.Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe];
            o.Baseline = Plain();
            o.NumberOfDraws = 1;
            o.Seed = seed;
        }));
        int[] Rows(LabelEfficiencyReport report) => [.. report.Results[0].LabeledRows[0], .. report.TestRows];

        var first = Rows(Compare());
        CollectionAssert.AreEqual(first, Rows(Compare()));
        CollectionAssert.AreNotEqual(first, Rows(Compare(seed: 1)));
        CollectionAssert.AreNotEqual(Rows(Compare(seed: null)), Rows(Compare(seed: null)), "null draws anew");
        Assert.AreEqual(0, new LabelEfficiencyOptions().Seed);
        Assert.AreEqual(3, new LabelEfficiencyOptions().NumberOfDraws);
    }

    [TestMethod]
    public void A_fraction_keeps_a_row_of_every_class()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        // 60 rows of one class, 5 of the next, 1 of the last.
        var rows = FineTuningData.Rows(400).GroupBy(row => row.Subject).Zip([60, 5, 1], (group, count) => group.Take(count)).SelectMany(group => group)
            .ToList();
        var data = FineTuningData.WithKeys(_mlContext, _mlContext.Data.LoadFromEnumerable(rows));
        var report = _mlContext.SelfSupervised().LabelEfficiency(data, encoder, Options(o =>
        {
            o.LabelsPerClass = [2];
            o.LabelFractions = [0.1];
            o.NumberOfDraws = 1;
            o.Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe];
        }));
        CollectionAssert.AreEqual(new[] { "2 a class", "10 %" }, report.Results.Select(r => r.Budget).Distinct().ToArray(), "from few to many");
        foreach (var labeled in report.Results.Where(r => r.Budget == "10 %").SelectMany(result => result.LabeledRows))
        {
            // A fifth of each class is kept out: 12, 1 and 0.
            CollectionAssert.AreEqual(new[] { 5, 1, 1 }, labeled.GroupBy(row => rows[row].Subject).OrderByDescending(g => g.Count())
                .Select(g => g.Count()).ToArray());
            Assert.HasCount(3, labeled.Select(row => rows[row].Subject).Distinct());
        }
        Assert.AreEqual(7, report.Results[^1].NumberOfLabels);
    }

    [TestMethod]
    public void Several_baselines_stand_in_the_report_and_the_best_has_to_be_beaten()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        var data = Data(80);
        var report = _mlContext.SelfSupervised().LabelEfficiency(data, encoder, Options(o =>
        {
            o.LabelsPerClass = [4];
            o.Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe];
            o.Baseline = _mlContext.Transforms.Concatenate("Plain", "Number")
                .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Plain", l2Regularization: 1e8f));
            o.FurtherBaselines = new Dictionary<string, IEstimator<ITransformer>> { ["by its number"] = Plain() };
        }));
        CollectionAssert.AreEqual(new[] { "baseline", "by its number", "probe" }, report.Results.Select(r => r.Name).ToArray());
        Assert.AreEqual(LabelEfficiencyApproach.Baseline, report.Results[1].Approach);
        Assert.AreEqual(1, report.Results[1].Mean, 1e-9, "the number tells the subject");
        Assert.IsLessThan(0.7, report.Results[0].Mean, "nothing is learned under that penalty");
        StringAssert.Contains(report.ToString(), "by its number");
        StringAssert.StartsWith(report.Conclusion, "Pretraining does not pay here");
        StringAssert.Contains(report.Conclusion, "by its number 1.000");
    }

    // The number of a row is that of its subject.
    private EstimatorChain<ITransformer> Plain() => new EstimatorChain<ITransformer>()
        .Append<ITransformer>(_mlContext.Transforms.Categorical.OneHotEncoding("Plain", "Number"))
        .Append<ITransformer>(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(featureColumnName: "Plain", l2Regularization: 0.01f));


    [TestMethod]
    public void Test_rows_can_be_given_and_a_baseline_on_numbers_and_texts_needs_no_pipeline()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        var report = _mlContext.SelfSupervised().LabelEfficiency(Data(80), encoder, Options(o =>
        {
            o.TestData = Data(50, seed: 9);
            o.LabelsPerClass = [15];
            o.NumberOfDraws = 1;
            o.Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe];
        }));
        Assert.AreEqual(50, report.NumberOfTestRows);
        Assert.IsGreaterThan(0.9, report.Results[0].Mean, "words tell the subjects apart");
        Assert.AreEqual(0, report.Results[0].StandardDeviation);
    }

    [TestMethod]
    [DataRow(new[] { .9, .9 }, new[] { .5, .5 },
        "Pretraining pays here at every number of labels tried (at 5 a class: probe .900, baseline .500).")]
    [DataRow(new[] { .9, .6 }, new[] { .5, .7 },
        "Pretraining pays here up to 5 a class (at 5 a class: probe .900, baseline .500), and no longer at 20 a class (probe .600, baseline .700).")]
    [DataRow(new[] { .4, .8 }, new[] { .5, .7 }, "Pretraining pays here from 20 a class on (at 20 a class: probe .800, baseline .700).")]
    [DataRow(new[] { .4, .65 }, new[] { .5, .7 },
        "Pretraining does not pay here: at no number of labels tried is it clearly better (nearest at 20 a class: probe .650, baseline .700).")]
    public void The_conclusion_says_from_how_many_labels(double[] ours, double[] theirs, string expected)
    {
        string[] budgets = ["5 a class", "20 a class"];
        var results = budgets.SelectMany((budget, i) => new[]
        {
            Result(budget, LabelEfficiencyApproach.Baseline, [theirs[i] - .01, theirs[i] + .01, theirs[i]]),
            // The best on the test rows, but not what the baseline chose.
            new LabelEfficiencyResult(budget, LabelEfficiencyApproach.Baseline, [[0], [0], [0]],
                [.. Enumerable.Repeat(new DrawOutcome("linear", .99, IsCandidate: true), 3)]),
            Result(budget, LabelEfficiencyApproach.Probe, [ours[i] + .01, ours[i] - .01, ours[i]]),
            Result(budget, LabelEfficiencyApproach.FineTune, [.1, .1, .1]),
            Result(budget, LabelEfficiencyApproach.Scratch, [.1, .1, .1]),
        }).ToArray();
        Assert.AreEqual(expected.Replace("0.", ".", StringComparison.Ordinal),
            new LabelEfficiencyReport(results, [], 9, true).Conclusion.Replace("0.", ".", StringComparison.Ordinal));
    }

    [TestMethod]
    public void A_difference_within_the_noise_of_the_draws_does_not_count()
    {
        LabelEfficiencyReport Report(double noise) => new(
        [
            Result("5 a class", LabelEfficiencyApproach.Baseline, [.5, .5, .5, .5]),
            Result("5 a class", LabelEfficiencyApproach.Probe, [.55 - noise, .55 + noise, .55 - noise, .55 + noise]),
        ], [], 9, true);
        StringAssert.StartsWith(Report(.01).Conclusion, "Pretraining pays here");
        StringAssert.StartsWith(Report(.1).Conclusion, "Pretraining does not pay here");
        Assert.AreEqual(Math.Sqrt(4 * .01 / 3), Report(.1).Results[1].StandardDeviation, 1e-9);
    }

    [TestMethod]
    public void Canceling_gives_what_was_complete()
    {
        using var encoder = FineTuningData.Encoder(_mlContext);
        using var cancel = new CancellationTokenSource();
        var report = _mlContext.SelfSupervised().LabelEfficiency(Data(80), encoder, Options(o =>
        {
            o.LabelsPerClass = [2, 4];
            o.Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe];
            o.CancellationToken = cancel.Token;
            o.Progress = new Stop(cancel, 5);
        }));
        Assert.IsFalse(report.IsComplete);
        CollectionAssert.AreEqual(new[] { "2 a class" }, report.Results.Select(r => r.Budget).Distinct().ToArray());
        StringAssert.StartsWith(report.Conclusion, "Canceled");
    }

    [TestMethod]
    public void Faults_are_named()
    {
        var encoder = FineTuningData.Encoder(_mlContext);
        var data = Data(80);
        void Refused<T>(string expected, Action<LabelEfficiencyOptions> change, IDataView? other = null) where T : Exception
            => StringAssert.Contains(Assert.ThrowsExactly<T>(() => _mlContext.SelfSupervised().LabelEfficiency(other ?? data, encoder,
                Options(change))).Message, expected);

        Refused<ArgumentOutOfRangeException>("FurtherBaselines must have names that are not empty and not the report's own, got \"probe\".",
            o => o.FurtherBaselines = new Dictionary<string, IEstimator<ITransformer>> { ["probe"] = _mlContext.Transforms.CopyColumns("A", "Label") });
        Refused<ArgumentOutOfRangeException>("stand for other values in TestData", o => o.TestData = FineTuningData.WithKeys(_mlContext,
            _mlContext.Data.LoadFromEnumerable(FineTuningData.Rows(40).AsEnumerable().Reverse().ToList())));
        Refused<ArgumentOutOfRangeException>("LabelsPerClass must be at least 1, got 0. LabelFractions must be greater than 0 and at most 1, got 1.5.",
            o => (o.LabelsPerClass, o.LabelFractions) = ([0], [1.5]));
        Refused<ArgumentOutOfRangeException>("must not both be empty", o => o.LabelsPerClass = []);
        Refused<ArgumentOutOfRangeException>("Approaches must have at least one of Probe and FineTune",
            o => o.Approaches = [LabelEfficiencyApproach.Baseline]);
        Refused<ArgumentOutOfRangeException>("Could not find label column 'Gone'", o => o.LabelColumnName = "Gone");
        Refused<ArgumentOutOfRangeException>("Schema mismatch for label column 'Subject': expected Key<UInt32>, got String",
            o => o.LabelColumnName = "Subject");
        Refused<InvalidOperationException>("one class only", _ => { }, FineTuningData.WithKeys(_mlContext,
            _mlContext.Data.LoadFromEnumerable(FineTuningData.Rows(40).Where(r => r.Subject == FineTuningData.Subjects[0]).ToList())));
        Refused<InvalidOperationException>("leaves no row of any class to test on", _ => { }, Data(4));
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => _mlContext.SelfSupervised().LabelEfficiency(data, encoder));
    }

    private static LabelEfficiencyResult Result(string budget, LabelEfficiencyApproach approach, double[] accuracies)
        => new(budget, approach, [.. accuracies.Select(_ => new int[10])],
            [.. accuracies.Select(accuracy => new DrawOutcome(LabelEfficiencyReport.Name(approach), accuracy))]);

    private IDataView Data(int count, int seed = 1) => FineTuningData.WithKeys(_mlContext, FineTuningData.View(_mlContext, count, seed));

    private static LabelEfficiencyOptions Options(Action<LabelEfficiencyOptions> change)
    {
        var options = new LabelEfficiencyOptions
        {
            NumberOfDraws = 2,
            LabelsPerClass = [2],
            FineTuning = new MulticlassFineTuningTrainer.Options { NumberOfEpochs = 8, LearningRate = 0.01 },
        };
        change(options);
        return options;
    }

    private sealed class Collect(List<LabelEfficiencyProgress> reports) : IProgress<LabelEfficiencyProgress>
    {
        public void Report(LabelEfficiencyProgress value) => reports.Add(value);
    }

    private sealed class Stop(CancellationTokenSource cancel, int after) : IProgress<LabelEfficiencyProgress>
    {
        public void Report(LabelEfficiencyProgress value)
        {
            if (value.Done == after)
                cancel.Cancel();
        }
    }

    // Notes which rows a pipeline is fitted on and which it predicts.
    private sealed class Recorder(IEstimator<ITransformer> pipeline, List<(int, string)[]> fitted) : IEstimator<ITransformer>
    {
        public List<int> Tested { get; } = [];

        public ITransformer Fit(IDataView input)
        {
            fitted.Add([.. input.GetColumn<int>("Id").Zip(input.GetColumn<string>("Subject"))]);
            return new Model(pipeline.Fit(input), Tested);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => pipeline.GetOutputSchema(inputSchema);

        private sealed class Model(ITransformer model, List<int> tested) : ITransformer
        {
            public bool IsRowToRowMapper => model.IsRowToRowMapper;

            public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => model.GetOutputSchema(inputSchema);

            public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => model.GetRowToRowMapper(inputSchema);

            public IDataView Transform(IDataView input)
            {
                tested.AddRange(input.GetColumn<int>("Id"));
                return model.Transform(input);
            }

            void ICanSaveModel.Save(ModelSaveContext ctx) => model.Save(ctx);
        }
    }
}
