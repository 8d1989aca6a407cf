using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using static TorchSharp.torch;

namespace Ssl.MLNet.Tests.FewLabels;

[TestClass]
public sealed class FewLabelsTests
{
    private const int Slots = 6;

    public sealed class Row
    {
        [VectorType(Slots)]
        public float[] Features { get; set; } = [];

        public string Class { get; set; } = "";

        public bool Flag { get; set; }

        public float Value { get; set; }
    }

    public sealed class Cells
    {
        public float A { get; set; }

        public float B { get; set; }

        public string C { get; set; } = "";

        public string Class { get; set; } = "";
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    // Three clouds; labels of a few rows only.
    private static Row[] Clouds(int count, int labeled, int seed, float apart = 1.5f)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var features = Enumerable.Range(0, Slots).Select(s => (s == i % 3 ? apart : 0) + (float)(random.NextDouble() + random.NextDouble()
                + random.NextDouble() - 1.5)).ToArray();
            return new Row
            {
                Features = features, Class = i < labeled ? $"class {i % 3}" : "", Flag = i % 3 == 0,
                Value = i < labeled ? 100 + 2 * features[0] - features[1] : float.NaN,
            };
        })];
    }

    private IDataView View(IEnumerable<Row> rows) => _mlContext.Data.LoadFromEnumerable(rows);

    private EstimatorChain<FewLabelsTransformer> Chain(FewLabelsTrainer.Options? options = null)
        => FewLabelsData.Keys(_mlContext).Append(_mlContext.SelfSupervised().FewLabels.MulticlassClassification(options ?? new FewLabelsTrainer.Options()));

    private static double Accuracy(ITransformer model, IDataView data, Row[] truth)
        => model.Transform(data).GetColumn<uint>("PredictedLabel").Zip(truth.Select((_, i) => (uint)(i % 3 + 1)))
            .Count(pair => pair.First == pair.Second) / (double)truth.Length;

    [TestMethod]
    public void Classes_are_told_apart_from_few_labels_and_what_was_tried_is_told()
    {
        var (training, test) = (Clouds(600, 15, 1), Clouds(300, 0, 2));
        var log = new List<string>();
        _mlContext.Log += (_, message) => log.Add(message.Message);
        var model = Chain().Fit(View(training));
        Assert.IsGreaterThan(0.8, Accuracy(model, View(test), test));
        var candidates = model.LastTransformer.Candidates;
        CollectionAssert.AreEqual((string[])["linear", "self-training", "class shares"], candidates.Select(c => c.Name).ToArray());
        Assert.AreEqual(1, candidates.Sum(c => c.Share), 1e-9);
        Assert.IsTrue(log.Any(line => line.Contains("self-training") && line.Contains("held-out accuracy")), string.Join('\n', log));
        Assert.IsTrue(log.Any(line => line.Contains("585 of 585 unlabeled")), string.Join('\n', log));
        foreach (var scores in model.Transform(View(test)).GetColumn<float[]>("Score"))
            Assert.AreEqual(1, scores.Sum(), 1e-5);
    }

    /// <summary>The probabilities mean what they say: the mean of the largest is the share of hits.</summary>
    [TestMethod]
    public void Scores_are_calibrated()
    {
        var (training, test) = (Clouds(900, 150, 3, 0.8f), Clouds(600, 0, 4, 0.8f));
        var model = Chain().Fit(View(training));
        var said = model.Transform(View(test)).GetColumn<float[]>("Score").Average(scores => scores.Max());
        Assert.AreEqual(Accuracy(model, View(test), test), said, 0.06);
    }

    [TestMethod]
    public void A_second_Fit_gives_the_same_and_a_saved_model_too()
    {
        var data = View(Clouds(300, 30, 1));
        var chain = Chain();
        var model = chain.Fit(data);
        float[][] Scores(ITransformer of) => [.. of.Transform(data).GetColumn<float[]>("Score")];
        var expected = Scores(model);
        foreach (var (a, b) in expected.Zip(Scores(chain.Fit(data))))
            CollectionAssert.AreEqual(a, b);
        using var file = new MemoryStream();
        _mlContext.Model.Save(model, data.Schema, file);
        file.Position = 0;
        var loaded = TestDevice.Context().Model.Load(file, out _);
        foreach (var (a, b) in expected.Zip(Scores(loaded)))
            CollectionAssert.AreEqual(a, b);
        var last = (FewLabelsTransformer)((IEnumerable<ITransformer>)loaded).Last();
        CollectionAssert.AreEqual(model.LastTransformer.Candidates.ToArray(), last.Candidates.ToArray());
    }

    [TestMethod]
    public void A_question_is_answered_with_unlabeled_rows_of_their_own()
    {
        var (labeled, unlabeled, test) = (Clouds(30, 30, 1), Clouds(500, 0, 2), Clouds(300, 0, 3));
        var trainer = _mlContext.SelfSupervised().FewLabels.BinaryClassification("Flag");
        var model = trainer.Fit(View(labeled), View(unlabeled));
        Assert.IsTrue(model.Candidates.Any(c => c.Name == "self-training"));
        Assert.IsFalse(trainer.Fit(View(labeled)).Candidates.Any(c => c.Name == "self-training"));
        var metrics = _mlContext.BinaryClassification.Evaluate(model.Transform(View(test)), "Flag");
        Assert.IsGreaterThan(0.85, metrics.Accuracy);
        foreach (var (score, probability) in model.Transform(View(test)).GetColumn<float>("Score")
            .Zip(model.Transform(View(test)).GetColumn<float>("Probability")))
            Assert.AreEqual(1 / (1 + Math.Exp(-score)), probability, 1e-5);
    }

    [TestMethod]
    public void A_number_is_predicted()
    {
        var (training, test) = (Clouds(200, 25, 1), Clouds(200, 200, 2));
        var model = _mlContext.SelfSupervised().FewLabels.Regression("Value").Fit(View(training));
        Assert.IsGreaterThan(0.99, _mlContext.Regression.Evaluate(model.Transform(View(test)), "Value").RSquared);
        CollectionAssert.AreEqual((string[])["linear", "mean"], model.Candidates.Select(c => c.Name).ToArray());
    }

    /// <summary>A rule that no line draws: the trees of the cells find it, and count for more than the linear models do.</summary>
    [TestMethod]
    public void Trees_grow_on_the_cells_of_a_table()
    {
        var random = new Random(5);
        Cells[] rows = [.. Enumerable.Range(0, 900).Select(i =>
        {
            var (a, b) = (random.NextSingle(), random.NextSingle());
            return new Cells { A = a, B = b, C = i % 2 == 0 ? "x" : "y", Class = a > 0.5 ^ b > 0.5 ? "in" : "out" };
        })];
        var ssl = _mlContext.SelfSupervised();
        using var encoder = ssl.Tabular.Scarf(new ScarfTrainer.Options { InputColumnNames = ["A", "B", "C"], NumberOfEpochs = 0, Seed = 1 })
            .Fit(_mlContext.Data.LoadFromEnumerable(rows));
        var view = _mlContext.Transforms.Conversion.MapValueToKey("Label", "Class").Fit(_mlContext.Data.LoadFromEnumerable(rows))
            .Transform(encoder.Transform(_mlContext.Data.LoadFromEnumerable(rows)));
        var (training, test) = (_mlContext.Data.TakeRows(view, 300), _mlContext.Data.SkipRows(view, 300));
        var model = ssl.FewLabels.MulticlassClassification().Fit(training);
        var trees = model.Candidates.Single(c => c.Name == "boosted trees");
        Assert.IsGreaterThan(0.5, trees.Share);
        Assert.IsGreaterThan(0.9, _mlContext.MulticlassClassification.Evaluate(model.Transform(test)).MicroAccuracy);
        var none = ssl.FewLabels.MulticlassClassification(new FewLabelsTrainer.Options { Trees = FewLabelsTrainer.Usage.Never }).Fit(training);
        Assert.IsFalse(none.Candidates.Any(c => c.Name == "boosted trees"));
    }

    [TestMethod]
    public void Every_option_does_what_it_says()
    {
        var data = View(Clouds(300, 30, 1, 0.8f));
        IReadOnlyList<FewLabelsCandidate> Tried(Action<FewLabelsTrainer.Options> change)
        {
            var options = new FewLabelsTrainer.Options { Seed = 1 };
            change(options);
            return Chain(options).Fit(data).LastTransformer.Candidates;
        }
        string[] Names(IReadOnlyList<FewLabelsCandidate> candidates) => [.. candidates.Select(candidate => candidate.Name)];
        string[] linearAlone = ["linear", "class shares"];
        var plain = Tried(_ => { });

        Assert.AreNotEqual(plain[0].Loss, Tried(options => options.Seed = 2)[0].Loss, "Seed");
        Assert.AreNotEqual(plain[0].Loss, Tried(options => options.NumberOfFolds = 3)[0].Loss, "NumberOfFolds");
        StringAssert.StartsWith(Tried(options => options.MaximumUnlabeledRows = 5)[1].Settings, "5 unlabeled rows");
        CollectionAssert.AreEqual(linearAlone, Names(Tried(options => options.MaximumUnlabeledRows = 0)));
        CollectionAssert.AreEqual(linearAlone, Names(Tried(options => options.SelfTraining = FewLabelsTrainer.Usage.Never)));
        CollectionAssert.AreEqual(linearAlone, Names(Tried(options => options.MaximumTrainingTime = TimeSpan.FromTicks(1))));
        CollectionAssert.AreEqual(linearAlone, Names(Tried(options => options.CancellationToken = new CancellationToken(canceled: true))));
        CollectionAssert.AreEqual((string[])["linear", "boosted trees", "self-training", "class shares"],
            Names(Tried(options => options.Trees = FewLabelsTrainer.Usage.Always)));
        var told = new List<FewLabelsCandidate>();
        var tried = Tried(options => options.Progress = new Listener(told.Add));
        CollectionAssert.AreEqual(Names(tried), Names(told));
    }

    /// <summary>
    /// A slot that is chance in the labeled rows and goes with the classes in the unlabeled ones misleads whoever learns from those: they
    /// count for little, unless they are asked for.
    /// </summary>
    [TestMethod]
    public void Self_training_that_does_not_pay_is_left_out_unless_it_is_asked_for()
    {
        var (rows, random) = (Clouds(2_000, 60, 1), new Random(3));
        foreach (var (i, row) in rows.Index())
            row.Features[Slots - 1] = 8 * ((i < 60 ? random.Next(3) : i % 3) - 1);
        double Share(FewLabelsTrainer.Usage usage) => Chain(new FewLabelsTrainer.Options { Seed = 1, SelfTraining = usage }).Fit(View(rows))
            .LastTransformer.Candidates.Single(candidate => candidate.Name == "self-training").Share;
        Assert.IsLessThan(0.1, Share(FewLabelsTrainer.Usage.WhenItPays));
        Assert.IsGreaterThanOrEqualTo(0.25, Share(FewLabelsTrainer.Usage.Always));
    }

    /// <summary>Where a line divides the classes trees do worse, and count a third of three all the same, before shares are brought to 1.</summary>
    [TestMethod]
    public void Trees_that_are_asked_for_count()
    {
        var candidates = Chain(new FewLabelsTrainer.Options { Seed = 1, Trees = FewLabelsTrainer.Usage.Always, SelfTraining = FewLabelsTrainer.Usage.Never })
            .Fit(View(Clouds(600, 600, 1, 1.2f))).LastTransformer.Candidates;
        Assert.IsLessThan(candidates[1].Loss, candidates[0].Loss);
        Assert.IsGreaterThanOrEqualTo(0.25, candidates.Single(candidate => candidate.Name == "boosted trees").Share);
    }

    public sealed class Wide
    {
        [VectorType(WideSlots)]
        public float[] Features { get; set; } = [];

        public string Class { get; set; } = "";
    }

    private const int WideSlots = 300;

    /// <summary>
    /// Round clouds in many slots, few rows: nothing finer than the class means can be known. The strongest penalties say so, whose log-odds are
    /// tiny: they are calibrated, and do not teach the unlabeled rows.
    /// </summary>
    [TestMethod]
    public void Where_slots_are_many_and_rows_few_the_class_means_decide()
    {
        var random = new Random(5);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        float[][] centers = [.. Enumerable.Range(0, 3).Select(_ => Enumerable.Range(0, WideSlots).Select(_ => (float)(0.16 * Normal())).ToArray())];
        Wide[] Drawn(int count, int labeled) => [.. Enumerable.Range(0, count).Select(i => new Wide
        {
            Features = [.. centers[i % 3].Select(value => value + (float)Normal())], Class = i < labeled ? $"class {i % 3}" : "",
        })];
        var (rows, test) = (Drawn(900, 90), Drawn(1_500, 0));
        var model = Chain(new FewLabelsTrainer.Options { Seed = 1 }).Fit(_mlContext.Data.LoadFromEnumerable(rows));
        var means = Enumerable.Range(0, 3).Select(k => rows.Take(90).Where((_, i) => i % 3 == k).Select(row => row.Features)
            .Aggregate(new float[WideSlots], (sum, features) => [.. sum.Zip(features, (a, b) => a + b / 30)])).ToArray();
        var byMeans = test.Where((row, i) => Enumerable.Range(0, 3).MinBy(k => means[k].Zip(row.Features, (a, b) => (a - b) * (a - b)).Sum()) == i % 3).Count() / (double)test.Length;
        var predicted = model.Transform(_mlContext.Data.LoadFromEnumerable(test));
        var hits = predicted.GetColumn<uint>("PredictedLabel").Select((label, i) => label == i % 3 + 1).Count(hit => hit) / (double)test.Length;
        var candidates = model.LastTransformer.Candidates;
        Console.WriteLine($"class means {byMeans:0.000}, model {hits:0.000}; {string.Join("; ", candidates)}");
        StringAssert.Matches(candidates[0].Settings, new("^L2 (3|10)$"));
        Assert.IsGreaterThan(byMeans - 0.02, hits);
        // As good a teacher as the linear model is one.
        Assert.AreEqual("self-training", candidates[1].Name);
        Assert.IsGreaterThan(candidates[0].Metric - 0.1, candidates[1].Metric);
        Assert.AreEqual(hits, predicted.GetColumn<float[]>("Score").Average(scores => scores.Max()), 0.1);
    }

    private sealed class Listener(Action<FewLabelsCandidate> tell) : IProgress<FewLabelsCandidate>
    {
        public void Report(FewLabelsCandidate value) => tell(value);
    }

    [TestMethod]
    public void What_the_application_has_set_in_torch_changes_nothing()
    {
        var data = View(Clouds(200, 20, 1));
        var chain = Chain(new FewLabelsTrainer.Options { Seed = 1 });
        float[][] Scores() => [.. chain.Fit(data).Transform(data).GetColumn<float[]>("Score")];
        var expected = Scores();
        var before = get_default_dtype();
        try
        {
            set_default_dtype(ScalarType.Float64);
            foreach (var (a, b) in expected.Zip(Scores()))
                CollectionAssert.AreEqual(a, b);
        }
        finally
        {
            set_default_dtype(before);
        }
    }

    /// <summary>Rows that take a second and a half to read: of six seconds less than five are left to search in, of two half of them all the same.</summary>
    [TestMethod]
    [DataRow(6, 3, 4.6)]
    [DataRow(2, 1, 1)]
    public void Time_counts_from_the_start_of_Fit(int limit, double least, double most)
    {
        var lines = new List<string>();
        _mlContext.Log += (_, message) => lines.Add(message.Message);
        Chain(new FewLabelsTrainer.Options { Seed = 1, MaximumTrainingTime = TimeSpan.FromSeconds(limit) }).Fit(View(Slowly(Clouds(100, 30, 1))));
        var line = lines.Single(text => text.Contains("are left to search in"));
        var left = double.Parse(line[(line.IndexOf(" s, ", StringComparison.Ordinal) + 4)..line.IndexOf(" s are left", StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
        Assert.IsTrue(left >= least && left <= most, line);

        static IEnumerable<Row> Slowly(Row[] rows)
        {
            foreach (var row in rows)
            {
                Thread.Sleep(15);
                yield return row;
            }
        }
    }

    [TestMethod]
    public void Vectors_that_are_not_numbers_have_no_prediction()
    {
        var rows = Clouds(100, 30, 1);
        rows[50].Features[2] = float.NaN;
        rows[3].Features[1] = float.PositiveInfinity;
        var warnings = new List<string>();
        _mlContext.Log += (_, message) => warnings.Add(message.Message);
        var model = Chain().Fit(View(rows));
        Assert.IsTrue(warnings.Any(line => line.Contains("2 rows are left out")), string.Join('\n', warnings));
        var predicted = model.Transform(View(rows)).GetColumn<uint>("PredictedLabel").ToArray();
        Assert.AreEqual(0u, predicted[50]);
        Assert.AreEqual(0u, predicted[3]);
        Assert.AreEqual(98, predicted.Count(key => key > 0));
    }

    [TestMethod]
    public void Faults_are_named()
    {
        var tasks = _mlContext.SelfSupervised().FewLabels;
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tasks.MulticlassClassification(new FewLabelsTrainer.Options
        {
            NumberOfFolds = 1, MaximumUnlabeledRows = -1, LabelColumnName = "", Trees = (FewLabelsTrainer.Usage)9,
        }));
        foreach (var name in (string[])["NumberOfFolds", "MaximumUnlabeledRows", "LabelColumnName", "Trees"])
            StringAssert.Contains(fault.Message, name);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => tasks.Regression(new FewLabelsTrainer.Options { SelfTraining = FewLabelsTrainer.Usage.Always }));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Chain().Fit(View(Clouds(20, 0, 1)))).Message,
            "None of 20 rows has a label");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Chain().Fit(View(Clouds(20, 1, 1)))).Message, "same label");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => tasks.MulticlassClassification("Class").Fit(View(Clouds(20, 5, 1))));
    }
}
