using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class RunLengthTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [TestMethod]
    public void KnownLength()
    {
        var length = new RunLength(4, 10, null);
        Assert.AreEqual(0.0125, length.Share(0, 0.5, s_second), 1e-12);
        Assert.AreEqual((2 + 0.95) / 4, length.Share(2, 9.5, s_second), 1e-12);
        Assert.AreEqual(0.5, length.Share(1, 14, s_second), 1e-12, "an epoch longer than expected waits at its end");
    }

    [TestMethod]
    public void AFinishedEpochCorrectsTheExpectation()
    {
        var length = new RunLength(2, 10, null);
        length.EpochCompleted(9);
        Assert.AreEqual(9, length.StepsPerEpoch);
        Assert.AreEqual(1, length.Share(1, 9, s_second), 1e-12);
    }

    [TestMethod]
    public void UnknownLengthRisesWithoutPassingTheEpochsEnd()
    {
        var length = new RunLength(2, null, null);
        double last = -1;
        foreach (long step in new long[] { 0, 10, 100, 500, 5_000, 5_000_000 })
        {
            double share = length.Share(0, step, s_second);
            Assert.IsTrue(share > last && share < 0.5);
            last = share;
        }
        Assert.AreEqual(0.25, length.Share(0, RunLength.UnknownEpochSteps, s_second), 1e-12);
        Assert.IsNull(length.Remaining(0, 100, s_second));
    }

    [TestMethod]
    public void TheLargerOfStepsAndTimeCounts()
    {
        var length = new RunLength(10, 10, TimeSpan.FromSeconds(100));
        Assert.AreEqual(0.6, length.Share(1, 0, TimeSpan.FromSeconds(60)), 1e-12);
        Assert.AreEqual(0.9, length.Share(9, 0, TimeSpan.FromSeconds(60)), 1e-12);
        Assert.AreEqual(1, length.Share(0, 0, TimeSpan.FromSeconds(200)), 1e-12);
    }

    [TestMethod]
    public void RemainingTime()
    {
        var length = new RunLength(4, 10, null);
        Assert.AreEqual(TimeSpan.FromSeconds(30), length.Remaining(1, 0, TimeSpan.FromSeconds(10)));
        Assert.AreEqual(TimeSpan.Zero, length.Remaining(4, 0, TimeSpan.FromSeconds(10)));
        Assert.IsNull(length.Remaining(0, 0, TimeSpan.Zero));
        var limited = new RunLength(4, 10, TimeSpan.FromSeconds(15));
        Assert.AreEqual(TimeSpan.FromSeconds(5), limited.Remaining(1, 0, TimeSpan.FromSeconds(10)));
    }
}
