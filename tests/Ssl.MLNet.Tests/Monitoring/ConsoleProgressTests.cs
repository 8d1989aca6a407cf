using Ssl.Estimators;
using Ssl.MLNet.Monitoring;

namespace Ssl.MLNet.Tests.Monitoring;

[TestClass]
public class ConsoleProgressTests
{
    private sealed class ManualClock : TimeProvider
    {
        public long Ticks { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Ticks;
    }

    private static PretrainingProgress Report(int epoch, long step, bool completed = false) => new(epoch, 2, step, 100, 1.5,
        new Dictionary<string, double>(), 0.001, 2000, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20), null, completed);

    [TestMethod]
    public void PlainOutputIsALineAnEpochAndNowAndThenOneInBetween()
    {
        var clock = new ManualClock();
        var writer = new StringWriter { NewLine = "\n" };
        using (var progress = new ConsoleProgress(writer, clock: clock))
        {
            for (int step = 1; step <= 15; step++)
            {
                clock.Ticks += TimeSpan.TicksPerSecond;
                progress.Report(Report(1, step));
            }
            progress.Report(Report(1, 100, completed: true));
            progress.Report(Report(2, 100, completed: true));
        }
        Assert.AreEqual("epoch 1/2, step 1/100, loss 1.500, 2,000 samples/s, 0:20 left\n"
            + "epoch 1/2, step 11/100, loss 1.500, 2,000 samples/s, 0:20 left\n"
            + "epoch 1/2, 100 steps, loss 1.500, 2,000 samples/s, 0:20 left\n"
            + "epoch 2/2, 100 steps, loss 1.500, 2,000 samples/s, 0:20 left\n", writer.ToString());
    }

    [TestMethod]
    public void LiveOutputRedrawsOneLine()
    {
        var clock = new ManualClock();
        var writer = new StringWriter { NewLine = "\n" };
        using (var progress = new ConsoleProgress(writer, live: true, clock: clock))
        {
            progress.Report(Report(1, 50));
            progress.Report(Report(1, 51)); // too soon
            clock.Ticks += TimeSpan.TicksPerSecond;
            progress.Report(Report(2, 100, completed: true));
        }
        string[] drawn = writer.ToString().Split('\r');
        Assert.HasCount(3, drawn);
        Assert.AreEqual("", drawn[0]);
        Assert.AreEqual("[=====               ] epoch 1/2, step 50/100, loss 1.500, 2,000 samples/s, 0:20 left", drawn[1]);
        StringAssert.StartsWith(drawn[2], "[====================] epoch 2/2, 100 steps, loss 1.500, 2,000 samples/s, 0:20 left");
        Assert.HasCount(drawn[1].Length + 1, drawn[2], "a shorter line covers the one before, and the run's end closes it");
        Assert.AreEqual('\n', drawn[2][^1]);
    }

    [TestMethod]
    public void DisposingEndsALineThatWasLeftOpen()
    {
        var writer = new StringWriter { NewLine = "\n" };
        var progress = new ConsoleProgress(writer, live: true);
        progress.Report(Report(1, 50));
        progress.Dispose();
        progress.Dispose();
        StringAssert.EndsWith(writer.ToString(), "left\n");
        Assert.AreEqual(1, writer.ToString().Count(c => c == '\n'));
    }

    [TestMethod]
    public void LongLinesAreCutAtTheWidth()
    {
        var writer = new StringWriter();
        var renderer = new LiveLineRenderer(writer, () => 30, new Throttle(TimeProvider.System, TimeSpan.Zero));
        var state = new MonitorState();
        state.Add(Report(1, 50));
        renderer.Draw(state);
        Assert.AreEqual(1 + 29, writer.ToString().Length);
    }

    [TestMethod]
    public void StateKeepsEpochsAndStartsAnewWithAnotherRun()
    {
        var state = new MonitorState();
        Assert.AreEqual(0, state.Share);
        state.Add(Report(1, 50));
        Assert.AreEqual(0.25, state.Share);
        state.Add(Report(1, 100, completed: true));
        state.Add(Report(2, 100, completed: true));
        Assert.IsTrue(state.IsCompleted);
        Assert.HasCount(2, state.Epochs);
        state.Add(Report(1, 1));
        Assert.IsEmpty(state.Epochs);
        Assert.IsFalse(state.IsCompleted);
    }

    [TestMethod]
    public void ANegativeIntervalIsRefused() => Assert.ThrowsExactly<ArgumentOutOfRangeException>(
        () => new ConsoleProgress(new StringWriter(), refreshEvery: TimeSpan.FromSeconds(-1)));
}
