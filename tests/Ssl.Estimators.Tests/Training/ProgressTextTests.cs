using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class ProgressTextTests
{
    private static readonly PretrainingProgress s_progress = new(3, 12, 117, 540, 1.2344, new Dictionary<string, double>(), 0.001, 12345.4,
        TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(42), null, false);

    [TestMethod]
    public void LineInsideAnEpoch() => Assert.AreEqual("epoch 3/12, step 117/540, loss 1.234, 12,345 samples/s, 0:42 left",
        ProgressText.Line(s_progress));

    [TestMethod]
    public void LineOfUnknownLength() => Assert.AreEqual("epoch 3/12, step 117, loss 1.234, 12,345 samples/s",
        ProgressText.Line(s_progress with { NumberOfSteps = null, Remaining = null }));

    [TestMethod]
    public void LineOfAFinishedEpoch() => Assert.AreEqual("epoch 3/12, 1,540 steps, loss 1.234, 12,345 samples/s, 1:02:03 left",
        ProgressText.Line(s_progress with { Step = 1540, EpochCompleted = true, Remaining = new TimeSpan(1, 2, 3) }));

    [TestMethod]
    public void LineOfAValidatedEpoch() => Assert.AreEqual(
        "epoch 3/12, 540 steps, loss 1.234, validation loss 2.500, 12,345 samples/s, 0:42 left",
        ProgressText.Line(s_progress with { Step = 540, EpochCompleted = true, ValidationLoss = 2.5 }));

    [TestMethod]
    [DataRow(0.0, "0.000")]
    [DataRow(1.23456, "1.235")]
    [DataRow(0.00123, "1.23e-3")]
    [DataRow(1234567.0, "1.23e+6")]
    [DataRow(double.NaN, "NaN")]
    public void Numbers(double value, string expected) => Assert.AreEqual(expected, ProgressText.Number(value));

    [TestMethod]
    public void ClosingLine()
    {
        var history = new TrainingHistory([], [.. Enumerable.Range(1, 12).Select(epoch => new EpochSummary(epoch, 540, 8640, 0.345,
            new Dictionary<string, double>(), 0, 1, null))], null);
        var result = new TrainingResult(TrainingEnd.Completed, 6480, 0.345, null, history, TimeSpan.FromSeconds(83), null);
        Assert.AreEqual("training completed: 12 epochs, 6,480 steps, loss 0.345, 1:23", ProgressText.Line(result));
        Assert.AreEqual("training canceled: 12 epochs, 6,480 steps, loss 0.345, weights of the last step, 1:23",
            ProgressText.Line(result with { End = TrainingEnd.Canceled }));
        Assert.AreEqual("training canceled: 12 epochs, 6,480 steps, loss 0.345, "
            + "weights of epoch 9 with the lowest validation loss 0.412, 1:23",
            ProgressText.Line(result with
            {
                End = TrainingEnd.Canceled, BestValidationLoss = 0.412, History = history with { BestEpoch = 9 },
            }));
    }
}
