using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Tests.Views;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class PretrainingLoopTests
{
    private static TrainingSettings Settings(int epochs = 4) => new() { NumberOfEpochs = epochs, BatchSize = 16, LearningRate = 0.02 };

    [TestMethod]
    public void TheLossFalls()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        TrainingResult result = PretrainingLoop.Run(method, new ToySource(streams), Settings(30), streams, CPU);
        Assert.AreEqual(TrainingEnd.Completed, result.End);
        Assert.AreEqual(30, result.EpochsCompleted);
        Assert.AreEqual(30 * 4, result.StepsCompleted);
        Assert.IsLessThan(0.5 * result.Epochs[0].Loss, result.FinalLoss);
        Assert.IsNull(result.BestEpoch, "nothing was validated: the weights are the last ones");
        Assert.IsNull(result.BestValidationLoss);
        Assert.AreEqual(result.FinalLoss, result.Epochs[^1].Terms["error"] + 0.01 * result.Epochs[^1].Terms["size"], 1e-5);
        Assert.IsFalse(method.training, "a trained method is in evaluation mode");
        Assert.IsTrue(method.parameters().All(parameter => parameter.grad is null));
    }

    [TestMethod]
    public void SameSeedSameWeightsOtherSeedOtherWeights()
    {
        Dictionary<string, float[]> Train(long seed)
        {
            using var streams = new RandomStreams(seed);
            using var method = new ToyMethod(streams);
            PretrainingLoop.Run(method, new ToySource(streams), Settings(), streams, CPU);
            return method.Weights();
        }

        AssertEqual(Train(7), Train(7));
        CollectionAssert.AreNotEqual(Train(7)["decoder"], Train(8)["decoder"]);
    }

    [TestMethod]
    public void TheLearningRateFollowsTheScheduleAtTheMiddleOfEachStep()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var progress = new ListProgress();
        TrainingSettings settings = Settings(2);
        (settings.WarmupFraction, settings.ProgressInterval) = (0.25, TimeSpan.Zero);
        PretrainingLoop.Run(method, new ToySource(streams), settings, streams, CPU, new TrainingReporter(progress));
        PretrainingProgress[] steps = [.. progress.Where(report => !report.EpochCompleted)];
        Assert.HasCount(8, steps);
        for (int i = 0; i < 8; i++)
        {
            double p = (i + 0.5) / 8;
            double expected = p < 0.25 ? 0.02 * p / 0.25 : 0.02 * (1 + Math.Cos(Math.PI * (p - 0.25) / 0.75)) / 2;
            Assert.AreEqual(expected, steps[i].LearningRate, 1e-12, $"step {i}");
        }
        CollectionAssert.AreEqual(Enumerable.Range(1, 8).Select(i => i / 8.0).ToArray(), method.Progress);
        CollectionAssert.AreEqual(Enumerable.Range(0, 8).Select(i => i / 8.0).ToArray(), method.Starts);
    }

    [TestMethod]
    public void AllBatchesAreDisposed()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var source = new ToySource(streams);
        PretrainingLoop.Run(method, source, Settings(), streams, CPU);
        Assert.HasCount(16, source.Batches);
        Assert.IsTrue(source.Batches.All(batch => ((VectorBatch)batch).Values.IsInvalid));
    }

    [TestMethod]
    public void ANaNStopsTheRunWithASentence()
    {
        using var streams = new RandomStreams(1);
        int losses = 0;
        using var method = new ToyMethod(streams) { Spoil = loss => ++losses == 4 + 3 ? loss * float.NaN : loss };
        TrainingSettings settings = Settings();
        (settings.LearningRate, settings.WarmupFraction, settings.GradientClipNorm) = (0.3, 0, 0);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(
            () => PretrainingLoop.Run(method, new ToySource(streams), settings, streams, CPU));
        double rate = 0.15 * (1 + Math.Cos(Math.PI * 6.5 / 16));
        Assert.AreEqual(FormattableString.Invariant(
            $"Loss became NaN at epoch 2, step 3 (learning rate {rate:G4}). Lower LearningRate or set GradientClipNorm."), fault.Message);
    }

    [TestMethod]
    public void WeightsThatTheLastStepSpoiledAreNoModel()
    {
        using var streams = new RandomStreams(1);
        int losses = 0;
        using var method = new ToyMethod(streams) { Spoil = loss => ++losses == 8 ? WithoutSlope(loss) : loss };
        var settings = new TrainingSettings { NumberOfEpochs = 2, BatchSize = 16, LearningRate = 0.02, GradientClipNorm = 0 };
        var fault = Assert.ThrowsExactly<InvalidOperationException>(
            () => PretrainingLoop.Run(method, new ToySource(streams), settings, streams, CPU));
        Assert.AreEqual("A weight became NaN or infinite in epoch 2 (learning rate up to 0.02). Lower LearningRate or set GradientClipNorm.",
            fault.Message);
    }

    // The same number, of which no gradient is one: the root of 0 has none.
    internal static Tensor WithoutSlope(Tensor loss) => loss + (loss - loss).sqrt();

    [TestMethod]
    public void ANaNThatIsReadLateIsNamedByItsOwnStep()
    {
        using var streams = new RandomStreams(1);
        int losses = 0;
        using var method = new ToyMethod(streams) { Spoil = loss => ++losses == 5 ? loss * float.NaN : loss };
        TrainingSettings settings = Settings();
        settings.ReadInterval = 16;
        var fault = Assert.ThrowsExactly<InvalidOperationException>(
            () => PretrainingLoop.Run(method, new ToySource(streams, rows: 8 * 16), settings, streams, CPU));
        StringAssert.StartsWith(fault.Message, "Loss became NaN at epoch 1, step 5 ");
        Assert.IsGreaterThan(5, losses);
    }

    [TestMethod]
    public void ReadingLateChangesNoNumbers()
    {
        (TrainingResult, Dictionary<string, float[]>) Train(int readInterval)
        {
            using var streams = new RandomStreams(3);
            using var method = new ToyMethod(streams);
            TrainingSettings settings = Settings();
            settings.ReadInterval = readInterval;
            return (PretrainingLoop.Run(method, new ToySource(streams), settings, streams, CPU), method.Weights());
        }

        (TrainingResult first, Dictionary<string, float[]> expected) = Train(1);
        (TrainingResult second, Dictionary<string, float[]> actual) = Train(3);
        AssertEqual(expected, actual);
        CollectionAssert.AreEqual(first.Epochs.Select(epoch => epoch.Loss).ToArray(), second.Epochs.Select(epoch => epoch.Loss).ToArray());
        Assert.AreEqual(first.EmbeddingSpread, second.EmbeddingSpread);
    }

    [TestMethod]
    public void JoinedParametersLearnTheSameAndAreSeparateAfterwards()
    {
        Dictionary<string, float[]> Train(bool joins)
        {
            using var streams = new RandomStreams(3);
            using var method = new ToyMethod(streams);
            TrainingSettings settings = Settings();
            settings.JoinsParameters = joins;
            PretrainingLoop.Run(method, new ToySource(streams), settings, streams, CPU, null, new EpochValidation(() => 1, null), default);
            foreach (var parameter in method.parameters())
                Assert.AreEqual(0, parameter.storage_offset());
            return method.Weights();
        }

        Dictionary<string, float[]> expected = Train(false), actual = Train(true);
        foreach ((string name, float[] values) in expected)
        {
            for (int i = 0; i < values.Length; i++)
                Assert.AreEqual(values[i], actual[name][i], 1e-5f, name);
        }
    }

    [TestMethod]
    public void WeightsThatAreRoundedTogetherLearnAsThoseThatAreRoundedOneByOne()
    {
        const int side = 8;
        Dictionary<string, float[]> Train(bool joins)
        {
            using var streams = new RandomStreams(3);
            var encoder = ImageEncoders.VisionTransformer(side, 4, 3, 2, 16, 2).Create(streams);
            using var method = new MaskedAutoencoderTrainer.Method(encoder, streams, new() { DecoderDimension = 16 });
            var settings = new TrainingSettings { NumberOfEpochs = 2, MixedPrecision = true, JoinsParameters = joins };
            PretrainingLoop.Run(method, new RandomImages(side), settings, streams, CPU);
            return method.named_parameters().ToDictionary(item => item.name, item => item.parameter.data<float>().ToArray());
        }

        Dictionary<string, float[]> expected = Train(false), actual = Train(true);
        foreach ((string name, float[] values) in expected)
        {
            for (int i = 0; i < values.Length; i++)
                Assert.AreEqual(values[i], actual[name][i], 1e-5f, name);
        }
    }

    private sealed class RandomImages(int side) : IBatchSource
    {
        private const int Batches = 3;

        public long? RowCount => 8 * Batches;

        public long? BatchesPerEpoch => Batches;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
            => Enumerable.Range(0, Batches).Select(step => new Batch[] { new ImageBatch(ImageSamples.Random(8, 3, side, step)) });
    }

    [TestMethod]
    public void AnInfiniteGradientStopsTheRunBeforeItSpoilsTheWeights()
    {
        using var streams = new RandomStreams(1);
        int losses = 0;
        // sqrt at 0 has a finite value and an infinite slope.
        using var method = new ToyMethod(streams) { Spoil = loss => ++losses == 2 ? loss + (loss - loss.detach()).sqrt() : loss };
        var fault = Assert.ThrowsExactly<InvalidOperationException>(
            () => PretrainingLoop.Run(method, new ToySource(streams), Settings(), streams, CPU));
        StringAssert.Matches(fault.Message,
            new("^Gradient became (NaN|infinite) at epoch 1, step 2 .*Lower LearningRate or GradientClipNorm.$"));
        Assert.IsTrue(method.Weights().Values.All(values => values.All(float.IsFinite)));
    }

    [TestMethod]
    public void CancellationStopsWithinAStepAndKeepsTheWeightsOfNow()
    {
        using var streams = new RandomStreams(1);
        using var cancellation = new CancellationTokenSource();
        Dictionary<string, float[]>? atTheEnd = null;
        ToyMethod? running = null;
        // The training loss of epoch 1 is the lowest, on purpose: it says nothing about which weights are best.
        int losses = 0;
        using var method = new ToyMethod(streams) { Spoil = loss => ++losses > 4 ? loss + 100 : loss };
        running = method;
        var source = new ToySource(streams)
        {
            BeforeStep = (epoch, step) =>
            {
                if (epoch != 2 || step != 2)
                    return;
                atTheEnd = running.Weights();
                cancellation.Cancel();
            },
        };
        TrainingResult result = PretrainingLoop.Run(method, source, Settings(), streams, CPU, null, cancellation.Token);
        Assert.IsTrue(result.Canceled);
        Assert.AreEqual(2, result.EpochsCompleted);
        Assert.AreEqual(9, result.StepsCompleted);
        Assert.AreEqual(9, method.Losses, "no step after the cancellation");
        Assert.IsNull(result.BestEpoch);
        AssertEqual(atTheEnd!, method.Weights());
    }

    [TestMethod]
    public void CancellationInTheFirstEpochKeepsTheCurrentWeights()
    {
        using var streams = new RandomStreams(1);
        using var cancellation = new CancellationTokenSource();
        using var method = new ToyMethod(streams);
        Dictionary<string, float[]> start = method.Weights();
        Dictionary<string, float[]>? current = null;
        var source = new ToySource(streams)
        {
            BeforeStep = (_, step) =>
            {
                if (step == 3)
                {
                    current = method.Weights();
                    cancellation.Cancel();
                }
            },
        };
        TrainingResult result = PretrainingLoop.Run(method, source, Settings(), streams, CPU, null, cancellation.Token);
        Assert.AreEqual(TrainingEnd.Canceled, result.End);
        Assert.AreEqual(0, result.EpochsCompleted);
        Assert.AreEqual(2, result.StepsCompleted);
        Assert.IsTrue(double.IsFinite(result.FinalLoss));
        AssertEqual(current!, method.Weights());
        CollectionAssert.AreNotEqual(start["decoder"], method.Weights()["decoder"]);
    }

    [TestMethod]
    public void ASourceThatThrowsOnCancellationIsACanceledRun()
    {
        using var streams = new RandomStreams(1);
        using var cancellation = new CancellationTokenSource();
        using var method = new ToyMethod(streams);
        var source = new ToySource(streams)
        {
            BeforeStep = (epoch, _) =>
            {
                if (epoch == 1)
                    cancellation.Cancel();
                cancellation.Token.ThrowIfCancellationRequested();
            },
        };
        Assert.IsTrue(PretrainingLoop.Run(method, source, Settings(), streams, CPU, null, cancellation.Token).Canceled);
    }

    [TestMethod]
    public void TheTimeLimitEndsTheRunAnnealed()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var clock = new ManualClock();
        var progress = new ListProgress();
        var source = new ToySource(streams) { BeforeStep = (_, _) => clock.Advance(TimeSpan.FromSeconds(1)) };
        TrainingSettings settings = Settings(1000);
        (settings.MaximumTrainingTime, settings.ProgressInterval) = (TimeSpan.FromSeconds(20), TimeSpan.Zero);
        TrainingResult result = PretrainingLoop.Run(method, source, settings, streams, CPU, new TrainingReporter(progress, Clock: clock));
        Assert.AreEqual(TrainingEnd.TimeLimit, result.End);
        Assert.AreEqual(19, result.StepsCompleted);
        Assert.AreEqual(4, result.EpochsCompleted);
        Assert.IsLessThan(0.01 * settings.LearningRate, progress[^1].LearningRate, "the schedule follows the time");
    }

    [TestMethod]
    public void ASourceWithoutBatchesIsAnError()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(
            () => PretrainingLoop.Run(method, new ToySource(streams, rows: 0), Settings(), streams, CPU));
        StringAssert.StartsWith(fault.Message, "Training data has no rows.");
    }

    [TestMethod]
    public void SettingsOutOfRangeComeTogether()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var settings = new TrainingSettings { NumberOfEpochs = 0, LearningRate = -1, WarmupFraction = 1 };
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => PretrainingLoop.Run(method, new ToySource(streams), settings, streams, CPU));
        Assert.AreEqual("NumberOfEpochs must be at least 1, got 0. LearningRate must be greater than 0, got -1. "
            + "WarmupFraction must be at least 0 and less than 1, got 1. (Parameter 'NumberOfEpochs')", fault.Message);
    }

    [TestMethod]
    public void CollapseIsWarnedOfOnce()
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        using (no_grad())
        {
            // A huge bias sends every input to the same corner of the tanh.
            method.get_parameter("encoder.bias")!.fill_(50);
        }
        var warnings = new List<string>();
        TrainingResult result = PretrainingLoop.Run(method, new ToySource(streams), Settings(6), streams, CPU,
            new TrainingReporter(Warning: warnings.Add));
        Assert.HasCount(1, warnings);
        StringAssert.Contains(warnings[0], "collapsing");
        StringAssert.Contains(warnings[0], "CollapseThreshold 0.1");
        Assert.IsLessThan(0.1, result.EmbeddingSpread!.Value);
    }

    internal static void AssertEqual(Dictionary<string, float[]> expected, Dictionary<string, float[]> actual)
    {
        CollectionAssert.AreEquivalent(expected.Keys, actual.Keys);
        foreach ((string name, float[] values) in expected)
            CollectionAssert.AreEqual(values, actual[name], name);
    }
}
