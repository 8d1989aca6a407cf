using Ssl.Estimators.Training;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class StepRecorderTests
{
    [TestMethod]
    public void EveryStepIsKeptWhileThereIsRoom()
    {
        var recorder = Record(8, 8);
        Assert.AreEqual(1, recorder.Interval);
        CollectionAssert.AreEqual(new long[] { 1, 2, 3, 4, 5, 6, 7, 8 }, recorder.Entries.Select(entry => entry.Step).ToArray());
    }

    [TestMethod]
    [DataRow(9, 2)]
    [DataRow(16, 2)]
    [DataRow(17, 4)]
    [DataRow(1000, 128)]
    public void MoreStepsAreAveragedInRunsOfEqualLength(int steps, int interval)
    {
        var recorder = Record(8, steps);
        Assert.AreEqual(interval, recorder.Interval);
        Assert.IsLessThanOrEqualTo(8, recorder.Entries.Count);
        Assert.AreEqual(steps, recorder.Entries.Sum(entry => entry.Count), "no step is lost");
        long first = 1;
        foreach (TrainingStep entry in recorder.Entries)
        {
            Assert.AreEqual(first + entry.Count - 1, entry.Step);
            // Step s has the loss s and the term 10 s.
            Assert.AreEqual((first + entry.Step) / 2.0, entry.Loss, 1e-9);
            Assert.AreEqual(10 * (first + entry.Step) / 2.0, entry.Terms["ten"], 1e-9);
            Assert.AreEqual(entry.Step * 0.1, entry.LearningRate, 1e-9, "that of the last step");
            first = entry.Step + 1;
        }
        Assert.IsTrue(recorder.Entries.SkipLast(1).All(entry => entry.Count == interval));
    }

    [TestMethod]
    [DataRow(5)]
    [DataRow(9)]
    [DataRow(37)]
    public void ARestoredRecorderGoesOnAsIfNothingHadHappened(int steps)
    {
        var whole = Record(8, 100);
        var part = Record(8, steps);
        var rest = new StepRecorder(8);
        rest.Restore(part.Entries);
        Add(rest, steps + 1, 100);
        Assert.AreEqual(whole.Interval, rest.Interval);
        CollectionAssert.AreEqual(whole.Entries.Select(entry => (entry.Step, entry.Count, entry.Loss)).ToArray(),
            rest.Entries.Select(entry => (entry.Step, entry.Count, entry.Loss)).ToArray());
    }

    private static StepRecorder Record(int capacity, int steps)
    {
        var recorder = new StepRecorder(capacity);
        Add(recorder, 1, steps);
        return recorder;
    }

    private static void Add(StepRecorder recorder, int first, int last)
    {
        for (int step = first; step <= last; step++)
            recorder.Add(1, step, new Dictionary<string, double> { ["ten"] = 10 * step }, step * 0.1, null);
    }
}
