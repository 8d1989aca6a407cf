using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class CheckpointTests
{
    private string _folder = "";

    private string CheckpointPath => Path.Combine(_folder, "run.checkpoint");

    [TestInitialize]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("ssl-checkpoint-").FullName;

    [TestCleanup]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(1, 1)]
    [DataRow(2, 2)]
    [DataRow(3, 4)]
    public void AResumedRunEqualsTheUninterruptedOne(int cancelInEpoch, int cancelBeforeStep)
    {
        (TrainingResult whole, Dictionary<string, float[]> expected) = Run(null);
        (TrainingResult part, _) = Run(CheckpointPath, cancelAt: (cancelInEpoch, cancelBeforeStep));
        Assert.IsTrue(part.Cancelled);
        (TrainingResult rest, Dictionary<string, float[]> actual) = Run(CheckpointPath);
        PretrainingLoopTests.AssertEqual(expected, actual);
        Assert.AreEqual(whole.StepsCompleted, rest.StepsCompleted);
        CollectionAssert.AreEqual(whole.Epochs.Select(epoch => epoch.Loss).ToArray(), rest.Epochs.Select(epoch => epoch.Loss).ToArray());
        Assert.AreEqual(whole.BestEpoch, rest.BestEpoch);
    }

    [TestMethod]
    public void BestWeightsSurviveAResume()
    {
        // Losses of epochs 2 and 3 are raised, so epoch 1 stays the best; the run is cancelled, resumed, and cancelled again.
        Func<int, Tensor, Tensor> spoil = (step, loss) => step > 4 ? loss + 100 : loss;
        (_, Dictionary<string, float[]> best) = Run(CheckpointPath, cancelAt: (2, 2), spoil: spoil);
        (TrainingResult again, Dictionary<string, float[]> weights) =
            Run(CheckpointPath, cancelAt: (3, 2), spoil: (_, loss) => loss + 100);
        Assert.AreEqual(1, again.BestEpoch);
        PretrainingLoopTests.AssertEqual(best, weights);
    }

    [TestMethod]
    public void AFinishedRunIsNotRunAgain()
    {
        (TrainingResult first, Dictionary<string, float[]> expected) = Run(CheckpointPath);
        (TrainingResult second, Dictionary<string, float[]> actual) = Run(CheckpointPath, cancelAt: (0, 1));
        Assert.AreEqual(TrainingEnd.Completed, second.End);
        Assert.AreEqual(first.StepsCompleted, second.StepsCompleted);
        PretrainingLoopTests.AssertEqual(expected, actual);
    }

    [TestMethod]
    public void WithoutResumeTheFileIsOverwritten()
    {
        Run(CheckpointPath, change: settings => settings.NumberOfEpochs = 1);
        (TrainingResult result, _) = Run(CheckpointPath, change: settings => settings.Resume = false);
        Assert.AreEqual(4, result.EpochsCompleted);
    }

    [TestMethod]
    public void AnotherConfigurationIsRefused()
    {
        Run(CheckpointPath);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath, change: settings =>
        {
            settings.LearningRate = 0.5;
            settings.Configuration = "another";
        }));
        Assert.AreEqual($"The checkpoint '{CheckpointPath}' belongs to another configuration: it was made with LearningRate 0.02 "
            + "(now 0.5), Configuration toy (now another). Use the same settings to continue it, choose another CheckpointPath, or delete the "
            + "file to start anew.", fault.Message);
    }

    [TestMethod]
    public void ANetworkOfAnotherShapeIsRefused()
    {
        Run(CheckpointPath);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath, dimension: 5));
        StringAssert.Contains(fault.Message, "belongs to another configuration: its ");
        StringAssert.Contains(fault.Message, "here [");
    }

    [TestMethod]
    public void ADamagedFileIsRefusedWithASentence()
    {
        Run(CheckpointPath);
        byte[] bytes = File.ReadAllBytes(CheckpointPath);
        foreach (byte[] damaged in new[] { [], bytes[..5], bytes[..^10], [.. bytes, 1] })
        {
            File.WriteAllBytes(CheckpointPath, damaged);
            var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath));
            StringAssert.StartsWith(fault.Message, $"The checkpoint '{CheckpointPath}' cannot be read: ");
        }
    }

    [TestMethod]
    public void OnlyTheCheckpointIsLeftInTheFolder()
    {
        Run(CheckpointPath, change: settings => settings.CheckpointEveryEpochs = 3);
        CollectionAssert.AreEqual(new[] { CheckpointPath }, Directory.GetFiles(_folder));
    }

    private static (TrainingResult Result, Dictionary<string, float[]> Weights) Run(string? path, (int Epoch, int Step)? cancelAt = null,
        Action<TrainingSettings>? change = null, Func<int, Tensor, Tensor>? spoil = null, int dimension = 4)
    {
        using var streams = new RandomStreams(11);
        using var cancellation = new CancellationTokenSource();
        int losses = 0;
        using var method = new ToyMethod(streams, dimension: dimension) { Spoil = loss => spoil is null ? loss : spoil(++losses, loss) };
        var source = new ToySource(streams)
        {
            BeforeStep = (epoch, step) =>
            {
                if ((epoch, step) == cancelAt)
                    cancellation.Cancel();
            },
        };
        var settings = new TrainingSettings
        {
            NumberOfEpochs = 4, BatchSize = 16, LearningRate = 0.02, CheckpointPath = path, Configuration = "toy",
        };
        change?.Invoke(settings);
        TrainingResult result = PretrainingLoop.Run(method, source, settings, streams, CPU, null, cancellation.Token);
        return (result, method.Weights());
    }
}
