using Ssl.Estimators;

namespace Ssl.MLNet.Testing;

// Rows kept out of training, checkpoints, the history of the losses.
public abstract partial class PretrainingContract<TRow>
{
    [TestMethod]
    public void Mixed_precision_embeds_nearly_the_same()
    {
        var mlContext = TestDevice.Context(5);
        using var encoder = Fit(mlContext);
        var data = View(mlContext, 8);
        var exact = Embed(encoder, data);
        if (OptionsWithoutEffect.ContainsKey(nameof(PretrainingOptions.MixedPrecision)))
        {
            StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => encoder.MixedPrecision = true).Message,
                "MixedPrecision must be false");
            return;
        }
        encoder.MixedPrecision = true;
        Assert.IsTrue(RelativeDifference(exact, Embed(encoder, data)) is > 0 and < 0.03, "share of the embeddings' norm");
        encoder.MixedPrecision = false;
        AssertEqual(exact, Embed(encoder, data), 0);
    }

    [TestMethod]
    public void Mixed_precision_learns_nearly_the_same()
    {
        if (OptionsWithoutEffect.ContainsKey(nameof(PretrainingOptions.MixedPrecision)))
        {
            StringAssert.Contains(Assert.Throws<Exception>(() => Run(mixed: true)).Message, "MixedPrecision must be false");
            return;
        }
        var exact = Run(mixed: false);
        var rounded = Run(mixed: true);
        Assert.AreEqual(exact.Loss, rounded.Loss, 0.05 * Math.Abs(exact.Loss), "loss of the epoch");
        Assert.IsTrue(RelativeDifference(exact.Embeddings, rounded.Embeddings) is > 0 and < 0.15, "share of the embeddings' norm");

        (float[][] Embeddings, double Loss) Run(bool mixed)
        {
            var loss = double.NaN;
            var mlContext = TestDevice.Context(5);
            using var encoder = Fit(mlContext, View(mlContext, 48), options =>
            {
                (options.NumberOfEpochs, options.MixedPrecision) = (1, mixed);
                options.Progress = new Reports(report => loss = report.EpochCompleted ? report.Loss : loss);
            });
            return (Embed(encoder, View(mlContext, 8)), loss);
        }
    }

    [TestMethod]
    public void Rows_kept_aside_are_measured_after_every_epoch_and_the_history_tells_it()
    {
        var reported = new List<double?>();
        var mlContext = TestDevice.Context(5);
        using var encoder = Fit(mlContext, View(mlContext, 128), o =>
        {
            (o.NumberOfEpochs, o.ValidationFraction) = (4, 0.25);
            o.Progress = new Reports(p =>
            {
                if (p.EpochCompleted)
                    reported.Add(p.ValidationLoss);
                else
                    Assert.IsNull(p.ValidationLoss);
            });
        });
        var history = encoder.TrainingHistory!;
        Assert.HasCount(4, reported);
        Assert.IsTrue(reported.All(loss => loss is { } value && double.IsFinite(value)), string.Join(", ", reported));
        CollectionAssert.AreEqual(reported, history.Epochs.Select(epoch => epoch.ValidationLoss).ToArray());
        Assert.AreEqual(1 + reported.IndexOf(reported.Min()), history.BestEpoch);
        Assert.IsTrue(history.Epochs.All(epoch => epoch.Samples <= 96), "a quarter of the rows is not trained on");
        Assert.AreEqual(history.Epochs.Sum(epoch => epoch.Steps), history.Steps[^1].Step);
        // Of batches of unequal size the larger count more in an epoch's loss.
        var (epoch, steps) = (history.Epochs[0].Loss, history.Steps.Where(step => step.Epoch == 1).Average(step => step.Loss));
        Assert.AreEqual(epoch, steps, 0.1 * Math.Abs(epoch) + 1e-3);

        var path = Path.Combine(Path.GetTempPath(), $"contract-{Guid.NewGuid():N}.ssl");
        try
        {
            mlContext.SelfSupervised().SaveEncoder(encoder, path);
            using var loaded = mlContext.SelfSupervised().LoadEncoder(path);
            CollectionAssert.AreEqual(reported, loaded.TrainingHistory!.Epochs.Select(epoch => epoch.ValidationLoss).ToArray());
            Assert.AreEqual(history.BestEpoch, loaded.TrainingHistory.BestEpoch);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Without_training_there_is_no_history_and_without_validation_no_best_epoch()
    {
        var mlContext = TestDevice.Context(5);
        using var untrained = Fit(mlContext, change: o => o.NumberOfEpochs = 0);
        Assert.IsNull(untrained.TrainingHistory);
        using var trained = Fit(mlContext);
        Assert.IsNull(trained.TrainingHistory!.BestEpoch);
        Assert.IsTrue(trained.TrainingHistory.Epochs.All(epoch => epoch.ValidationLoss is null));
    }

    [TestMethod]
    public void Streamed_rows_kept_aside_are_the_same_after_every_epoch()
    {
        var mlContext = TestDevice.Context(5);
        var data = new CountingView(View(mlContext, 200));
        using var encoder = Fit(mlContext, data, o =>
        {
            (o.CacheLimit, o.ShuffleBufferSize, o.NumberOfEpochs, o.ValidationFraction) = (100, 32, 3, 0.25);
            o.LearningRate = 1e-30;
        });
        // The weights do not move, but statistics of batches do: only methods without them have equal losses.
        var losses = encoder.TrainingHistory!.Epochs.Select(epoch => epoch.ValidationLoss!.Value).ToArray();
        Assert.HasCount(3, losses);
        Assert.IsTrue(losses.All(double.IsFinite), string.Join(", ", losses));
        var samples = encoder.TrainingHistory.Epochs.Select(epoch => epoch.Samples).Distinct().ToArray();
        Assert.HasCount(1, samples, "every epoch trains on the same rows");
        Assert.IsTrue(samples[0] is > 100 and < 180, $"{samples[0]} rows of 200");
    }

    [TestMethod]
    public void A_checkpoint_is_continued_by_the_same_training_and_refused_by_another()
    {
        var path = Path.Combine(Path.GetTempPath(), $"contract-{Guid.NewGuid():N}.checkpoint");
        try
        {
            var whole = Run(null, null, null);
            _ = Run(null, null, path, stopsAfterEpoch: 1);
            Assert.IsTrue(File.Exists(path));
            var epochs = new List<int>();
            // On a busy machine reading rows takes long enough to be reported.
            var resumed = Run(o => o.Progress = new Reports(p => { if (p.Phase == PretrainingPhase.Training) epochs.Add(p.Epoch); }), null, path);
            Assert.AreEqual(2, epochs.Min(), "it goes on where it was");
            AssertEqual(whole, resumed, TestDevice.Repeatability);
            // What changes no number may differ.
            AssertEqual(whole, Run(o => (o.MaximumTrainingTime, o.EarlyStoppingPatience) = (TimeSpan.FromHours(2), 3), null, path), TestDevice.Repeatability);

            Refused("LearningRate ", o => o.LearningRate = 2 * o.EffectiveLearningRate);
            Refused("NumberOfEpochs 3, this one has 7", o => o.NumberOfEpochs = 7);
            Refused("ValidationFraction 0.25, this one has 0.3", o => o.ValidationFraction = 0.3);
            Refused("Seed ", o => o.Seed = 77);
            Refused("RowOrder in memory, this one has streamed", o => o.CacheLimit = 100);
            Refused("Rows 96, this one has 95", null, rows: 95);

            void Refused(string words, Action<PretrainingOptions>? change, int rows = 96)
            {
                var error = Assert.ThrowsExactly<InvalidOperationException>(() => Run(change, rows, path));
                StringAssert.StartsWith(error.Message, $"CheckpointPath '{path}' holds a run with ");
                StringAssert.Contains(error.Message, words);
                StringAssert.Contains(error.Message, "Delete the file, or set CheckpointPath to another one");
            }
        }
        finally
        {
            File.Delete(path);
        }

        float[][] Run(Action<PretrainingOptions>? change, int? rows, string? path, int? stopsAfterEpoch = null)
        {
            using var stop = new CancellationTokenSource();
            // The same objects in the same order: the context's seed gives the same numbers.
            var mlContext = TestDevice.Context(5);
            var data = View(mlContext, rows ?? 96);
            using var encoder = Fit(mlContext, data, o =>
            {
                (o.NumberOfEpochs, o.ValidationFraction, o.CheckpointPath, o.CancellationToken) = (3, 0.25, path, stop.Token);
                o.Progress = new Reports(p =>
                {
                    if (p.EpochCompleted && p.Epoch == stopsAfterEpoch)
                        stop.Cancel();
                });
                change?.Invoke(o);
            });
            return Embed(encoder, View(TestDevice.Context(1)));
        }
    }

    private static double RelativeDifference(float[][] expected, float[][] actual)
        => Math.Sqrt(expected.Zip(actual).Sum(rows => rows.First.Zip(rows.Second).Sum(pair => Math.Pow(pair.First - pair.Second, 2)))
            / expected.Sum(row => row.Sum(value => (double)value * value)));
}
