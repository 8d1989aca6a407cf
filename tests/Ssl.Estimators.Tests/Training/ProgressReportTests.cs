using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class ProgressReportTests
{
    [TestMethod]
    public void ReportsAreThrottledAndComplete()
    {
        var clock = new ManualClock();
        var progress = new ListProgress();
        // 4 steps an epoch of 0.1 s each, a report every 0.25 s: after steps 3, and at each epoch's end.
        Run(clock, TimeSpan.FromSeconds(0.1), progress, null, epochs: 2);
        CollectionAssert.AreEqual(new[] { (1, 3L, false), (1, 4L, true), (2, 3L, false), (2, 4L, true) },
            progress.Select(report => (report.Epoch, report.Step, report.EpochCompleted)).ToArray());
        PretrainingProgress first = progress[0];
        Assert.AreEqual(2, first.NumberOfEpochs);
        Assert.AreEqual(4L, first.NumberOfSteps);
        Assert.AreEqual(48 / 0.3, first.SamplesPerSecond, 1e-6);
        Assert.AreEqual(TimeSpan.FromSeconds(0.3), first.Elapsed);
        Assert.AreEqual(0.5, first.Remaining!.Value.TotalSeconds, 1e-6);
        Assert.IsTrue(double.IsFinite(first.Loss));
        CollectionAssert.AreEquivalent(new[] { "error", "size" }, first.Terms.Keys.ToArray());
        Assert.IsNotNull(first.EmbeddingSpread);
        PretrainingProgress closing = progress[1];
        Assert.AreEqual(64 / 0.4, closing.SamplesPerSecond, 1e-6);
        Assert.AreEqual(0.4, closing.Remaining!.Value.TotalSeconds, 1e-6);
        Assert.AreEqual(TimeSpan.Zero, progress[^1].Remaining);
    }

    [TestMethod]
    public void LinesComeOnceAnEpochAndInLongEpochsEveryFiveSeconds()
    {
        var clock = new ManualClock();
        var lines = new List<string>();
        TrainingResult result = Run(clock, TimeSpan.FromSeconds(2), null, lines, epochs: 2);
        Assert.HasCount(5, lines, string.Join(Environment.NewLine, lines));
        StringAssert.StartsWith(lines[0], "epoch 1/2, step 3/4, loss ");
        StringAssert.EndsWith(lines[0], ", 8 samples/s, 0:10 left");
        StringAssert.StartsWith(lines[1], "epoch 1/2, 4 steps, loss ");
        StringAssert.EndsWith(lines[1], ", 8 samples/s, 0:08 left");
        StringAssert.StartsWith(lines[4], "training completed: 2 epochs, 8 steps, loss ");
        Assert.AreEqual(TimeSpan.FromSeconds(16), result.Elapsed);
    }

    [TestMethod]
    public void TheLengthOfAStreamedRunIsKnownAfterItsFirstEpoch()
    {
        var progress = new ListProgress();
        Run(new ManualClock(), TimeSpan.FromSeconds(1), progress, null, epochs: 2, hidesRowCount: true);
        Assert.IsTrue(progress.Where(report => report is { Epoch: 1, EpochCompleted: false })
            .All(report => report.NumberOfSteps is null && report.Remaining is null));
        Assert.IsTrue(progress.Where(report => report.Epoch == 2).All(report => report.NumberOfSteps == 4));
    }

    private static TrainingResult Run(ManualClock clock, TimeSpan step, ListProgress? progress, List<string>? lines, int epochs,
        bool hidesRowCount = false)
    {
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var source = new ToySource(streams) { BeforeStep = (_, _) => clock.Advance(step), HidesRowCount = hidesRowCount };
        var settings = new TrainingSettings { NumberOfEpochs = epochs, BatchSize = 16 };
        return PretrainingLoop.Run(method, source, settings, streams, CPU,
            new TrainingReporter(progress, lines is null ? null : lines.Add, Clock: clock));
    }
}
