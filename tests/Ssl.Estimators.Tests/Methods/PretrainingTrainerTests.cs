using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.MLNet;
using Ssl.MLNet.Testing;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>What every Fit does around its method: says, checks, cancels, goes on, and keeps.</summary>
[TestClass]
public sealed class PretrainingTrainerTests
{
    private sealed class Row
    {
        public float A { get; set; }

        public float B { get; set; }

        public string Kind { get; set; } = "";
    }

    private sealed class Picture
    {
        [VectorType(1, 4, 4)]
        public byte[] Image { get; set; } = new byte[16];
    }

    private readonly List<string> _said = [];
    private readonly MLContext _mlContext;

    public PretrainingTrainerTests()
    {
        _mlContext = TestDevice.Context(1);
        _mlContext.Log += (_, e) => _said.Add(e.RawMessage);
    }

    private IDataView View(int count = 24, MLContext? mlContext = null) => (mlContext ?? _mlContext).Data.LoadFromEnumerable(Enumerable.Range(0, count)
        .Select(i => new Row { A = i, B = i * i % 7, Kind = i % 2 == 0 ? "even" : "odd" }).ToArray());

    private static ScarfTrainer.Options Small(Action<ScarfTrainer.Options>? change = null)
    {
        var options = new ScarfTrainer.Options
        {
            InputColumnNames = ["A", "B"], Encoder = TabularEncoders.Mlp(1, 4), BatchSize = 8, NumberOfEpochs = 2, MinimumNumberOfSteps = 0, Seed = 3, IncludeInputFeatures = false,
        };
        change?.Invoke(options);
        return options;
    }

    private EncoderTransformer Fit(Action<ScarfTrainer.Options>? change = null, IDataView? data = null)
        => _mlContext.SelfSupervised().Tabular.Scarf(Small(change)).Fit(data ?? View());

    private bool Said(string part) => _said.Exists(line => line.Contains(part, StringComparison.Ordinal));

    [TestMethod]
    public void A_run_is_told_in_one_line()
    {
        Fit().Dispose();
        var line = Assert.ContainsSingle(_said.Where(text => text.StartsWith("Scarf on ", StringComparison.Ordinal)));
        StringAssert.Contains(line, "seed 3, 6 steps (2 epochs of 3): ");
        StringAssert.Contains(line, "BatchSize 8");
        Assert.DoesNotContain("Seed 3", line, "it is told once");
        Assert.DoesNotContain("processes", line);
        Assert.IsTrue(Said("24 rows"), string.Join('\n', _said));
        Assert.IsFalse(Said("in place of"));
    }

    [TestMethod]
    public void More_epochs_for_the_least_number_of_steps_are_told()
    {
        using var model = _mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = ["A", "B"], Encoder = TabularEncoders.Mlp(1, 4), BatchSize = 8, MinimumNumberOfSteps = 100, Seed = 3,
        }).Fit(View());
        // 100 steps of three an epoch are 34 epochs, 30 are the method's own.
        Assert.IsTrue(Said("34 epochs in place of 30, for MinimumNumberOfSteps 100; set NumberOfEpochs for another number"), string.Join('\n', _said));
        Assert.AreEqual(34, (int)model.Model.TrainingFacts["epochs"]!);
    }

    [TestMethod]
    public void What_was_done_stays_with_the_encoder()
    {
        using var model = Fit();
        var facts = model.Model.TrainingFacts;
        Assert.AreEqual(("ScarfTrainer", 2, 6L, "Completed", 3L), ((string)facts["trainer"]!, (int)facts["epochs"]!, (long)facts["steps"]!, (string)facts["end"]!, (long)facts["seed"]!));
        Assert.IsGreaterThan(0, (double)facts["seconds"]!);
        StringAssert.Contains((string)facts["options"]!, "BatchSize 8");
        Assert.IsNull(facts["truncation"], "rows of a table lose nothing");
        using var untrained = Fit(options => options.NumberOfEpochs = 0);
        facts = untrained.Model.TrainingFacts;
        Assert.AreEqual((0, 0L, "Completed", 0.0), ((int)facts["epochs"]!, (long)facts["steps"]!, (string)facts["end"]!, (double)facts["seconds"]!));
        Assert.IsFalse(Said("canceled"), "nothing was to be trained");
    }

    [TestMethod]
    public void Nothing_but_columns_of_the_right_kind_is_taken()
    {
        var estimator = _mlContext.SelfSupervised().Tabular.Scarf(Small());
        Assert.ThrowsExactly<ArgumentNullException>(() => estimator.Fit(null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => estimator.GetOutputSchema(null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => new ScarfTrainer(null!, Small()));
        Assert.ThrowsExactly<ArgumentNullException>(() => new ScarfTrainer(_mlContext, null!));
        var shape = ShapeProbe.Of(_mlContext, View());
        Assert.IsTrue(estimator.GetOutputSchema(shape).Any(column => column.Name == "Features"));
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => _mlContext.SelfSupervised().Tabular.Scarf(Small(options => options.InputColumnNames = ["A", "Gone"])).GetOutputSchema(shape));
        StringAssert.Contains(fault.Message, "'Gone'");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(options => options.InputColumnNames = ["A", "Gone"]));
        StringAssert.Contains(fault.Message, "'Gone'");
    }

    [TestMethod]
    public void Too_few_rows_are_refused_and_just_enough_are_taken()
    {
        var least = Small().MinimumBatchSize;
        Assert.IsGreaterThan(1, least);
        Fit(data: View(least)).Dispose();
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(data: View(least - 1)));
        StringAssert.Contains(fault.Message, $"ScarfTrainer needs at least {least} rows, got {least - 1}. Give Fit more rows.");
        // A method that could learn from one row still needs one.
        fault = Assert.ThrowsExactly<InvalidOperationException>(() => _mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
        {
            InputColumnName = "Kind", Encoder = TextEncoders.Transformer(1, 8, 2, maximumTokens: 8),
        }).Fit(View(0)));
        StringAssert.Contains(fault.Message, "Training set has 0 instances, aborting training. Every row's text in column 'Kind' is empty, or there are no rows.");
    }

    /// <summary>Where what an encoder needs of the data is not known yet there is none to return.</summary>
    [TestMethod]
    public void Canceled_while_columns_are_learned_there_is_no_encoder()
    {
        var fault = Assert.ThrowsExactly<OperationCanceledException>(() => Fit(options => options.CancellationToken = new CancellationToken(canceled: true)));
        StringAssert.Contains(fault.Message, "Fit was canceled while rows were read for the first time");
    }

    [TestMethod]
    public void Canceled_before_the_first_step_the_encoder_is_not_trained_and_it_is_said()
    {
        using var model = _mlContext.SelfSupervised().Images.RotationPrediction(new RotationPredictionTrainer.Options
        {
            Encoder = ImageEncoders.SmallConvNet(4, 1, 1, 2), NumberOfEpochs = 1, Seed = 1, CancellationToken = new CancellationToken(canceled: true),
        }).Fit(_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(_ => new Picture()).ToArray()));
        Assert.IsTrue(Said("Fit was canceled before the first step: the encoder that it returns is not trained."));
        Assert.AreEqual((0L, "Canceled"), ((long)model.Model.TrainingFacts["steps"]!, (string)model.Model.TrainingFacts["end"]!));
    }

    [TestMethod]
    public void Progress_and_rows_kept_aside_are_reported()
    {
        var reports = new ListProgress();
        using var model = Fit(options => (options.Progress, options.ValidationFraction) = (reports, 0.25));
        Assert.IsTrue(reports.Exists(report => report.Phase == PretrainingPhase.Training), "of training");
        Assert.IsTrue(model.TrainingHistory!.Epochs.All(epoch => epoch.ValidationLoss is not null));
        using var without = Fit();
        Assert.IsTrue(without.TrainingHistory!.Epochs.All(epoch => epoch.ValidationLoss is null));
    }

    [TestMethod]
    public void A_tokenizer_is_trained_on_all_texts_and_told()
    {
        using var model = _mlContext.SelfSupervised().Text.MaskedLanguageModel(new MaskedLanguageModelTrainer.Options
        {
            InputColumnName = "Kind", Encoder = TextEncoders.Transformer(1, 8, 2, maximumTokens: 4), NumberOfEpochs = 0, Seed = 1,
        }).Fit(View());
        Assert.IsTrue(_said.Exists(line => line.StartsWith("tokenizer trained: ", StringComparison.Ordinal) && line.Contains(" tokens in ", StringComparison.Ordinal)));
        Assert.IsNotNull(model.Model.TrainingFacts["truncation"], "texts can lose words");
    }

    [TestMethod]
    public void A_start_from_weights_tells_its_rate_unless_one_is_stated()
    {
        using var first = _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options { InputColumnName = "Kind", Encoder = TextEncoders.Bag(4, 4, 4), NumberOfEpochs = 0, Seed = 1 }).Fit(View());
        void Second(double? rate, int epochs) => _mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            InputColumnName = "Kind", Encoder = first.ToTextEncoderFactory(), NumberOfEpochs = epochs, Seed = 1, LearningRate = rate,
        }).Fit(View()).Dispose();
        const string Sentence = "the encoder starts from weights that exist: learning rate 5E-05 unless LearningRate says another";
        Second(0.01, 1);
        Second(null, 0);
        Assert.IsFalse(Said(Sentence));
        Second(null, 1);
        Assert.IsTrue(Said(Sentence), string.Join('\n', _said));
    }

    /// <summary>A checkpoint goes on as the same run alone: with its method, options, columns, rows and seed.</summary>
    [TestMethod]
    public void A_checkpoint_is_continued_by_the_same_run_alone()
    {
        var folder = Directory.CreateTempSubdirectory("trainer").FullName;
        try
        {
            var path = Path.Combine(folder, "run.ckpt");
            Fit(options => options.CheckpointPath = path).Dispose();
            Fit(options => options.CheckpointPath = path).Dispose();
            (string Named, Func<EncoderTransformer> Run)[] others =
            [
                ("CorruptionRate", () => Fit(options => (options.CheckpointPath, options.CorruptionRate) = (path, 0.11f))),
                ("LearningRate", () => Fit(options => (options.CheckpointPath, options.LearningRate) = (path, 0.11))),
                ("NumberOfEpochs", () => Fit(options => (options.CheckpointPath, options.NumberOfEpochs) = (path, 5))),
                ("Seed", () => Fit(options => (options.CheckpointPath, options.Seed) = (path, 4))),
                ("Rows", () => Fit(options => options.CheckpointPath = path, View(25))),
                ("Column 'Kind'", () => Fit(options => (options.CheckpointPath, options.InputColumnNames) = (path, ["A", "Kind"]))),
                ("RowOrder", () => Fit(options => (options.CheckpointPath, options.CacheLimit) = (path, 0))),
                ("Method", () => _mlContext.SelfSupervised().Tabular.MaskedCells(new MaskedCellsTrainer.Options
                {
                    InputColumnNames = ["A", "B"], Encoder = TabularEncoders.Mlp(1, 4), BatchSize = 8, NumberOfEpochs = 2, Seed = 3, CheckpointPath = path,
                }).Fit(View())),
            ];
            foreach (var (named, run) in others)
                StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(run, named).Message, named);
            Assert.ThrowsExactly<IOException>(() => Fit(options => options.CheckpointPath = Path.Combine(folder, "gone", "run.ckpt")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Without a seed of the user's a run goes on with the one that it began with; a stated one stays.</summary>
    [TestMethod]
    public void A_seed_that_nobody_stated_is_that_of_the_checkpoint()
    {
        var folder = Directory.CreateTempSubdirectory("trainer").FullName;
        try
        {
            var path = Path.Combine(folder, "run.ckpt");
            long Seed(Action<ScarfTrainer.Options>? change = null)
            {
                var mlContext = TestDevice.Context();
                using var model = mlContext.SelfSupervised().Tabular.Scarf(Small(options =>
                {
                    (options.Seed, options.CheckpointPath) = (null, path);
                    change?.Invoke(options);
                })).Fit(View(mlContext: mlContext));
                return (long)model.Model.TrainingFacts["seed"]!;
            }
            var first = Seed();
            Assert.AreEqual(first, Seed());
            Assert.ThrowsExactly<InvalidOperationException>(() => Seed(options => options.Seed = (int)(first % 1000) + 1));
            Assert.AreNotEqual(first, Seed(options => options.CheckpointPath = null));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void Short_forms_set_what_they_name_and_leave_the_rest()
    {
        var options = new SimClrTrainer.Options { BatchSize = 11, NumberOfEpochs = 12, LearningRate = 13 };
        options.Set(null, null, null);
        Assert.AreEqual((11, 12, 13.0), (options.BatchSize, options.NumberOfEpochs, options.LearningRate!.Value));
        options.Set(1, 2, 3);
        Assert.AreEqual((1, 2, 3.0), (options.BatchSize, options.NumberOfEpochs, options.LearningRate!.Value));
    }

    [TestMethod]
    public void What_two_processes_differ_in_is_named_up_to_five()
    {
        var first = Enumerable.Range(0, 9).ToDictionary(i => $"n{i}", i => $"{i}");
        Assert.IsNull(SharedFit.Differences(first, new(first)));
        Assert.AreEqual("n3 is x in place of 3", SharedFit.Differences(first, new(first) { ["n3"] = "x" }));
        Assert.AreEqual("extra is 1 in place of nothing", SharedFit.Differences(first, new(first) { ["extra"] = "1" }));
        var without = new Dictionary<string, string>(first);
        without.Remove("n2");
        Assert.AreEqual("n2 is nothing in place of 2", SharedFit.Differences(first, without));
        var five = first.ToDictionary(item => item.Key, item => string.CompareOrdinal(item.Key, "n5") < 0 ? "x" : item.Value);
        Assert.AreEqual("n0 is x in place of 0, n1 is x in place of 1, n2 is x in place of 2, n3 is x in place of 3, n4 is x in place of 4", SharedFit.Differences(first, five));
        StringAssert.EndsWith(SharedFit.Differences(first, first.ToDictionary(item => item.Key, _ => "x")), "n4 is x in place of 4 and 4 more");
    }
}
