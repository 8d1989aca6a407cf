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
