using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.FineTuning;

/// <summary>How a fine-tuning goes: what thaws when, where it starts, how it goes on after an interruption, rows without a label.</summary>
[TestClass]
public sealed class TuningTests
{
    private static MulticlassFineTuningTrainer Trainer(MLContext mlContext, EncoderTransformer encoder,
        Action<MulticlassFineTuningTrainer.Options> change)
    {
        var options = new MulticlassFineTuningTrainer.Options { Encoder = encoder, NumberOfEpochs = 6, LearningRate = 0.01, Seed = 3 };
        change(options);
        return mlContext.SelfSupervised().FineTune.MulticlassClassification(options);
    }

    [TestMethod]
    [DataRow(TrainableLayers.LastBlocks, 0)]
    [DataRow(TrainableLayers.Full, 3)]
    public void Blocks_decay_and_thawing_train_from_every_task(TrainableLayers layers, int headOnlyEpochs)
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var data = FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext));
        var losses = new List<double>();
        using var model = Trainer(mlContext, encoder, o =>
        {
            (o.TrainableLayers, o.HeadOnlyEpochs, o.LayerwiseLearningRateDecay) = (layers, headOnlyEpochs, 0.7);
            o.Progress = new Reports(p => { if (p.EpochCompleted) losses.Add(p.Loss); });
        }).Fit(data);
        Assert.HasCount(6, losses);
        Assert.IsLessThan(losses[0], losses[^1]);
        Assert.IsTrue(FineTuningData.Scores(model, data).All(s => s.All(float.IsFinite)));
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(0.25)]
    public void A_resumed_training_ends_as_one_that_was_never_interrupted(double validationFraction)
    {
        var path = Path.Combine(Path.GetTempPath(), $"fine-tuning-{Guid.NewGuid():N}.ckpt");
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var data = FineTuningData.WithKeys(mlContext, FineTuningData.View(mlContext));
        try
        {
            using var whole = Trainer(mlContext, encoder, o => o.ValidationFraction = validationFraction).Fit(data);
            using var stop = new CancellationTokenSource();
            using var interrupted = Trainer(mlContext, encoder, o =>
            {
                (o.ValidationFraction, o.CheckpointPath, o.CancellationToken) = (validationFraction, path, stop.Token);
                o.Progress = new Reports(p => { if (p is { EpochCompleted: true, Epoch: 3 }) stop.Cancel(); });
            }).Fit(data);
            Assert.IsTrue(File.Exists(path));
            var epochs = new List<int>();
            using var resumed = Trainer(mlContext, encoder, o =>
            {
                (o.ValidationFraction, o.CheckpointPath) = (validationFraction, path);
                o.Progress = new Reports(p => { if (p.Phase == PretrainingPhase.Training) epochs.Add(p.Epoch); });
            }).Fit(data);
            Assert.AreEqual(4, epochs.Min(), "it goes on where it was");
            FineTuningData.AssertEqual(FineTuningData.Scores(whole, data), FineTuningData.Scores(resumed, data), TestDevice.Repeatability);

            var error = Assert.ThrowsExactly<InvalidOperationException>(() => Trainer(mlContext, encoder, o =>
                (o.ValidationFraction, o.CheckpointPath, o.LabelSmoothing) = (validationFraction, path, 0.1)).Fit(data));
            StringAssert.Contains(error.Message, "holds a run with LabelSmoothing 0, this one has 0.1.");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Class_means_are_a_good_head_before_any_step()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 8).Fit(FineTuningData.View(mlContext));
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(FineTuningData.View(mlContext));
        var means = Accuracy(HeadInitialization.ClassMeans);
        Assert.IsGreaterThan(0.6, means, $"class means {means:0.000}, random {Accuracy(HeadInitialization.Random):0.000}, chance 0.25");

        double Accuracy(HeadInitialization initialization)
        {
            using var model = Trainer(mlContext, encoder, o => (o.HeadInitialization, o.TrainableLayers, o.LearningRate, o.NumberOfEpochs)
                = (initialization, TrainableLayers.HeadOnly, 1e-9, 1)).Fit(keys.Transform(FineTuningData.View(mlContext, 40)));
            return mlContext.MulticlassClassification.Evaluate(model.Transform(keys.Transform(FineTuningData.View(mlContext, 200,
                seed: 9))))
                .MicroAccuracy;
        }
    }

    [TestMethod]
    public void Class_means_serve_two_classes_too_and_want_a_linear_head()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 8).Fit(FineTuningData.View(mlContext));
        using var model = mlContext.SelfSupervised().FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options
        {
            Encoder = encoder, LabelColumnName = "Answer", HeadInitialization = HeadInitialization.ClassMeans, LearningRate = 1e-9,
            NumberOfEpochs = 1, TrainableLayers = TrainableLayers.HeadOnly,
        }).Fit(FineTuningData.View(mlContext));
        var metrics = mlContext.BinaryClassification.Evaluate(model.Transform(FineTuningData.View(mlContext, 200, seed: 9)), "Answer");
        Assert.IsGreaterThan(0.7, metrics.Accuracy);
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Trainer(mlContext, encoder, o =>
            (o.Head, o.HeadInitialization) = (FineTuningHead.Mlp, HeadInitialization.ClassMeans)));
        StringAssert.Contains(error.Message, "HeadInitialization must be Random for a head that is not Linear");
    }

    [TestMethod]
    public void Class_means_do_not_depend_on_the_size_of_embeddings()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 1).Fit(FineTuningData.View(mlContext));
        var plain = Probabilities();
        using (var noGrad = TorchSharp.torch.no_grad())
        {
            foreach (var (_, weight) in encoder.Model.GetWeights().Where(weight => weight.Key is "output.weight" or "output.bias"))
                weight.mul_(1e-5);
        }
        FineTuningData.AssertEqual(plain, Probabilities(), 2e-3f);

        float[][] Probabilities()
        {
            using var model = mlContext.SelfSupervised().FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options
            {
                Encoder = encoder, LabelColumnName = "Answer", HeadInitialization = HeadInitialization.ClassMeans, LearningRate = 1e-9,
                NumberOfEpochs = 1, TrainableLayers = TrainableLayers.HeadOnly,
            }).Fit(FineTuningData.View(mlContext));
            return [[.. model.Transform(FineTuningData.View(mlContext)).GetColumn<float>("Probability")]];
        }
    }

    [TestMethod]
    public void Class_means_count_how_many_rows_a_class_has_unless_classes_are_balanced()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 8).Fit(FineTuningData.View(mlContext));
        // Labels that no embedding tells: only their shares are left to learn.
        var rows = FineTuningData.Rows(200);
        foreach (var (i, row) in rows.Index())
            row.Answer = i % 10 == 0;
        var (equal, balanced) = (MeanProbability(ClassWeights.Equal), MeanProbability(ClassWeights.Balanced));
        Assert.IsLessThan(0.25, equal, $"equal {equal:0.000}, balanced {balanced:0.000}");
        Assert.IsGreaterThan(0.35, balanced, $"equal {equal:0.000}, balanced {balanced:0.000}");

        double MeanProbability(ClassWeights weights)
        {
            var data = mlContext.Data.LoadFromEnumerable(rows);
            using var model = mlContext.SelfSupervised().FineTune.BinaryClassification(new BinaryFineTuningTrainer.Options
            {
                Encoder = encoder, LabelColumnName = "Answer", HeadInitialization = HeadInitialization.ClassMeans, LearningRate = 1e-9,
                NumberOfEpochs = 1, TrainableLayers = TrainableLayers.HeadOnly, ClassWeights = weights,
            }).Fit(data);
            return model.Transform(FineTuningData.View(mlContext, 200, seed: 9)).GetColumn<float>("Probability").Average();
        }
    }

    [TestMethod]
    public void A_class_without_rows_is_unlikely_however_many_classes_there_are()
    {
        const int Classes = 60;
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 8).Fit(FineTuningData.View(mlContext));
        var rows = FineTuningData.Rows(4 * Classes);
        foreach (var (i, row) in rows.Index())
            row.Subject = $"{i % Classes}";
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(mlContext.Data.LoadFromEnumerable(rows));
        var known = mlContext.Data.LoadFromEnumerable(rows.Where(row => row.Subject != "0").ToArray());
        using var model = Trainer(mlContext, encoder, o => (o.HeadInitialization, o.TrainableLayers, o.LearningRate, o.NumberOfEpochs)
            = (HeadInitialization.ClassMeans, TrainableLayers.HeadOnly, 1e-9, 1)).Fit(keys.Transform(known));
        var scores = model.Transform(keys.Transform(mlContext.Data.LoadFromEnumerable(rows))).GetColumn<float[]>("Score").ToArray();
        Assert.HasCount(Classes, scores[0]);
        Assert.IsLessThan(0.1 / Classes, scores.Average(s => s[0]));
    }

    [TestMethod]
    public void The_log_tells_the_run_with_the_options_that_are_not_the_defaults()
    {
        var lines = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => lines.Add(e.Message);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 0).Fit(FineTuningData.View(mlContext));
        var data = FineTuningData.View(mlContext, 64);
        var labeled = mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(data).Transform(data);
        using var model = mlContext.SelfSupervised().FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
        {
            Encoder = encoder, NumberOfEpochs = 2, BatchSize = 16, LearningRate = 0.0125, HeadInitialization = HeadInitialization.ClassMeans, Seed = 5,
        }).Fit(labeled);
        var line = lines.Single(text => text.Contains("MulticlassFineTuning on ", StringComparison.Ordinal));
        StringAssert.EndsWith(line, $"MulticlassFineTuning on {TorchDevice.Describe(TestDevice.Torch)}, seed 5, 8 steps (2 epochs of 4): BatchSize 16, NumberOfEpochs 2, LearningRate 0.0125, "
            + "HeadInitialization ClassMeans");
    }

    [TestMethod]
    public void Rows_without_a_label_are_used_where_that_is_asked_for()
    {
        var lines = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => lines.Add(e.Message);
        using var encoder = FineTuningData.Pretrainer(mlContext, epochs: 8).Fit(FineTuningData.View(mlContext));
        var rows = FineTuningData.Rows(120);
        foreach (var row in rows.Skip(16))
            row.Subject = "";
        var known = mlContext.Data.LoadFromEnumerable(FineTuningData.Rows(16));
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(known);
        var data = keys.Transform(mlContext.Data.LoadFromEnumerable(rows));

        using var model = Trainer(mlContext, encoder, o =>
        {
            (o.PseudoLabelThreshold, o.MaximumPseudoLabelsPerClass) = (0.3, 5);
            o.HeadInitialization = HeadInitialization.ClassMeans;
        }).Fit(data);
        var line = lines.Single(l => l.Contains("rows without a label get one", StringComparison.Ordinal));
        StringAssert.Contains(line, "of 104 rows without a label get one, with a probability of at least 0.3");
        Assert.IsGreaterThan(0.8, mlContext.MulticlassClassification.Evaluate(
            model.Transform(keys.Transform(FineTuningData.View(mlContext, 200, seed: 9)))).MicroAccuracy);

        lines.Clear();
        using var without = Trainer(mlContext, encoder, _ => { }).Fit(data);
        Assert.IsTrue(lines.Any(l => l.Contains("104 of 120 rows are left out", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void Rows_of_classes_that_training_never_saw_are_scored_among_the_known_ones()
    {
        var mlContext = TestDevice.Context(1);
        using var encoder = FineTuningData.Encoder(mlContext);
        var known = mlContext.Data.LoadFromEnumerable(FineTuningData.Rows(80).Where(r => r.Subject != "garden").ToArray());
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", "Subject").Fit(known);
        using var model = Trainer(mlContext, encoder, o => o.ValidationFraction = 0.2).Fit(keys.Transform(known));
        var all = keys.Transform(FineTuningData.View(mlContext));
        var scores = FineTuningData.Scores(model, all);
        Assert.IsTrue(scores.All(s => s.Length == 3 && s.All(float.IsFinite)));
        Assert.IsTrue(double.IsFinite(mlContext.MulticlassClassification.Evaluate(model.Transform(all)).MicroAccuracy));
    }

    private sealed class Reports(Action<PretrainingProgress> report) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => report(value);
    }
}
