using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class LearningRateScheduleTests
{
    [TestMethod]
    public void WarmUpIsLinearAndCosineEndsAtZero()
    {
        const double peak = 0.3, warmup = 0.2;
        var schedule = new LearningRateSchedule(peak, warmup);
        for (int i = 0; i <= 100; i++)
        {
            double p = i / 100.0;
            // Written another way than the schedule: cos^2 of half the angle.
            double expected = p < warmup ? peak * p / warmup : peak * Math.Pow(Math.Cos(Math.PI / 2 * (p - warmup) / (1 - warmup)), 2);
            Assert.AreEqual(expected, schedule.At(p), 1e-12);
        }
        Assert.AreEqual(0, schedule.At(1), 1e-15);
        Assert.AreEqual(peak, schedule.At(warmup), 1e-15);
        Assert.AreEqual(peak / 2, schedule.At(0.6), 1e-12);
    }

    [TestMethod]
    public void WithoutWarmUpItStartsAtThePeak() => Assert.AreEqual(1e-3, new LearningRateSchedule(1e-3, 0).At(0));

    [TestMethod]
    public void OutsideOfTheRunItStays()
    {
        var schedule = new LearningRateSchedule(1, 0.1);
        Assert.AreEqual(0, schedule.At(-1));
        Assert.AreEqual(0, schedule.At(1.5), 1e-15);
    }
}
