using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class EpochValidationTests
{
    [TestMethod]
    public void TheRunEndsAfterItsPatienceWithTheWeightsOfTheBestEpoch()
    {
        double[] losses = [3, 1, 2, double.NaN, 0];
        var seen = new List<Dictionary<string, float[]>>();
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var lines = new List<string>();
        var validation = new EpochValidation(() =>
        {
            Assert.IsFalse(method.training, "the loss is measured in evaluation mode");
            seen.Add(method.Weights());
            return losses[seen.Count - 1];
        }, Patience: 2);

        var result = PretrainingLoop.Run(method, new ToySource(streams),
            new TrainingSettings { NumberOfEpochs = 9, BatchSize = 16, LearningRate = 0.02 },
            streams, CPU, new TrainingReporter(Info: lines.Add), validation, default);

        Assert.AreEqual(TrainingEnd.EarlyStopped, result.End);
        Assert.AreEqual(4, result.EpochsCompleted);
        foreach (var (name, values) in method.Weights())
            CollectionAssert.AreEqual(seen[1][name], values, name);
        CollectionAssert.AreNotEqual(seen[3]["decoder"], method.Weights()["decoder"]);
        Assert.IsTrue(lines.Any(line => line.StartsWith("training stopped early", StringComparison.Ordinal)));
        Assert.AreEqual(2, result.BestEpoch);
        Assert.AreEqual(1.0, result.BestValidationLoss);
        CollectionAssert.AreEqual(new double?[] { 3, 1, 2, double.NaN }, result.Epochs.Select(epoch => epoch.ValidationLoss).ToArray());
    }

    [TestMethod]
    public void ACanceledRunReturnsTheBestEpochToo()
    {
        using var cancellation = new CancellationTokenSource();
        var seen = new List<Dictionary<string, float[]>>();
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        double[] losses = [3, 1, 2];
        var validation = new EpochValidation(() =>
        {
            seen.Add(method.Weights());
            return losses[seen.Count - 1];
        }, Patience: null);
        var source = new ToySource(streams) { BeforeStep = (epoch, step) => { if ((epoch, step) == (3, 2)) cancellation.Cancel(); } };
        var result = PretrainingLoop.Run(method, source, new TrainingSettings { NumberOfEpochs = 9, BatchSize = 16, LearningRate = 0.02 },
            streams, CPU, null, validation, cancellation.Token);
        Assert.AreEqual(TrainingEnd.Canceled, result.End);
        Assert.AreEqual(2, result.BestEpoch);
        CollectionAssert.AreEqual(seen[1]["decoder"], method.Weights()["decoder"]);
    }

    [TestMethod]
    public void AValidationThatIsCanceledEndsTheRunWithoutALoss()
    {
        var path = Path.Combine(Path.GetTempPath(), $"validation-{Guid.NewGuid():N}.checkpoint");
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var result = PretrainingLoop.Run(method, new ToySource(streams),
            new TrainingSettings { NumberOfEpochs = 9, BatchSize = 16, LearningRate = 0.02, CheckpointPath = path },
            streams, CPU, null, new EpochValidation(() => null, Patience: null), default);
        Assert.AreEqual(TrainingEnd.Canceled, result.End);
        Assert.AreEqual(1, result.EpochsCompleted);
        Assert.IsNull(result.Epochs[0].ValidationLoss);
        Assert.IsFalse(File.Exists(path), "a resumed run has to measure that epoch");
    }

    [TestMethod]
    public void ARunEndedByTimeMeasuresItsLastWeightsToo()
    {
        var clock = new ManualClock();
        Dictionary<string, float[]>? last = null;
        int measured = 0;
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        // 4 steps an epoch of 1 s each: the time is over before step 3 of epoch 2.
        var source = new ToySource(streams) { BeforeStep = (_, _) => clock.Advance(TimeSpan.FromSeconds(1)) };
        var validation = new EpochValidation(() =>
        {
            last = method.Weights();
            return 5 - ++measured;
        }, Patience: null);
        var settings = new TrainingSettings
        {
            NumberOfEpochs = 9, BatchSize = 16, LearningRate = 0.02, MaximumTrainingTime = TimeSpan.FromSeconds(6.5),
        };
        var result = PretrainingLoop.Run(method, source, settings, streams, CPU, new TrainingReporter(Clock: clock), validation, default);
        Assert.AreEqual(TrainingEnd.TimeLimit, result.End);
        Assert.AreEqual(2, measured, "after epoch 1, and at the end");
        Assert.AreEqual(1, result.EpochsCompleted);
        Assert.AreEqual(2, result.BestEpoch);
        CollectionAssert.AreEqual(last!["decoder"], method.Weights()["decoder"]);
    }

    [TestMethod]
    public void AWholeRunKeepsTheBestEpochToo()
    {
        var seen = new List<Dictionary<string, float[]>>();
        using var streams = new RandomStreams(1);
        using var method = new ToyMethod(streams);
        var validation = new EpochValidation(() =>
        {
            seen.Add(method.Weights());
            return seen.Count;
        }, Patience: 10);
        var result = PretrainingLoop.Run(method, new ToySource(streams),
            new TrainingSettings { NumberOfEpochs = 3, BatchSize = 16, LearningRate = 0.02 },
            streams, CPU, null, validation, default);
        Assert.AreEqual(TrainingEnd.Completed, result.End);
        CollectionAssert.AreEqual(seen[0]["decoder"], method.Weights()["decoder"]);
    }
}
