using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Training;
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
    [DataRow(1, 1, false)]
    [DataRow(2, 2, false)]
    [DataRow(3, 4, false)]
    [DataRow(2, 2, true)]
    public void AResumedRunEqualsTheUninterruptedOne(int cancelInEpoch, int cancelBeforeStep, bool joinsParameters)
    {
        (TrainingResult whole, Dictionary<string, float[]> expected) = Run(null, change: Join);
        (TrainingResult part, _) = Run(CheckpointPath, cancelAt: (cancelInEpoch, cancelBeforeStep), change: Join);
        Assert.IsTrue(part.Canceled);
        (TrainingResult rest, Dictionary<string, float[]> actual) = Run(CheckpointPath, change: Join);
        void Join(TrainingSettings settings) => settings.JoinsParameters = joinsParameters;

        PretrainingLoopTests.AssertEqual(expected, actual);
        Assert.AreEqual(whole.StepsCompleted, rest.StepsCompleted);
        CollectionAssert.AreEqual(whole.Epochs.Select(epoch => epoch.Loss).ToArray(), rest.Epochs.Select(epoch => epoch.Loss).ToArray());
        Assert.AreEqual(whole.BestEpoch, rest.BestEpoch);
        CollectionAssert.AreEqual(whole.History.Steps.Select(step => (step.Step, step.Epoch, step.Loss, step.LearningRate)).ToArray(),
            rest.History.Steps.Select(step => (step.Step, step.Epoch, step.Loss, step.LearningRate)).ToArray());
        Assert.HasCount(16, whole.History.Steps);
    }

    [TestMethod]
    public void AResumedRunTellsTheMethodWhereItIs()
    {
        var starts = new List<double>();
        Run(CheckpointPath, cancelAt: (2, 2));
        Run(CheckpointPath, starts: starts);
        CollectionAssert.AreEqual(Enumerable.Range(8, 8).Select(i => i / 16.0).ToArray(), starts);
    }

    [TestMethod]
    public void TheWeightsOfTheBestEpochSurviveAResume()
    {
        // Epoch 1 has the lowest validation loss; the run is canceled, resumed, and canceled again.
        (TrainingResult first, Dictionary<string, float[]> best) = Run(CheckpointPath, cancelAt: (2, 2), validation: epoch => epoch);
        (TrainingResult again, Dictionary<string, float[]> weights) = Run(CheckpointPath, cancelAt: (3, 2), validation: epoch => epoch + 2);
        Assert.AreEqual(2, first.EpochsCompleted);
        Assert.AreEqual(3, again.EpochsCompleted);
        Assert.AreEqual(1, first.BestEpoch);
        Assert.AreEqual(1, again.BestEpoch);
        Assert.AreEqual(1.0, again.BestValidationLoss);
        CollectionAssert.AreEqual(new double?[] { 1, 2, 3 }, again.Epochs.Select(epoch => epoch.ValidationLoss).ToArray());
        PretrainingLoopTests.AssertEqual(best, weights);
    }

    [TestMethod]
    public void ARunThatStoppedEarlyGoesOnWithMorePatience()
    {
        (TrainingResult stopped, _) = Run(CheckpointPath, validation: epoch => epoch, patience: 1);
        Assert.AreEqual(TrainingEnd.EarlyStopped, stopped.End);
        Assert.AreEqual(2, stopped.EpochsCompleted);
        (TrainingResult same, _) = Run(CheckpointPath, validation: epoch => epoch + 2, patience: 1);
        Assert.AreEqual(TrainingEnd.EarlyStopped, same.End);
        Assert.AreEqual(2, same.EpochsCompleted);
        (TrainingResult further, _) = Run(CheckpointPath, validation: epoch => epoch + 2, patience: 9);
        Assert.AreEqual(TrainingEnd.Completed, further.End);
        Assert.AreEqual(4, further.EpochsCompleted);
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
    public void AnotherRunIsRefusedWithWhatDiffers()
    {
        Run(CheckpointPath);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath, change: settings =>
        {
            settings.LearningRate = 0.5;
            settings.Identity = new Dictionary<string, string> { ["Method"] = "another", ["Temperature"] = "0.2" };
        }));
        Assert.AreEqual($"CheckpointPath '{CheckpointPath}' holds a run with LearningRate 0.02, this one has 0.5; Method toy, this one has "
            + "another; Temperature nothing, this one has 0.2. Delete the file, or set CheckpointPath to another one, to start anew; to "
            + "continue that run, set its values again.", fault.Message);
    }

    [TestMethod]
    public void MoreEpochsAreAnotherRunAndAnotherTimeLimitIsNot()
    {
        Run(CheckpointPath);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(
            () => Run(CheckpointPath, change: settings => settings.NumberOfEpochs = 9));
        StringAssert.Contains(fault.Message, "holds a run with NumberOfEpochs 4, this one has 9. The learning rate of every step follows");
        (TrainingResult result, _) = Run(CheckpointPath, change: settings => settings.MaximumTrainingTime = TimeSpan.FromHours(1));
        Assert.AreEqual(4, result.EpochsCompleted);
    }

    [TestMethod]
    public void ANetworkOfAnotherShapeIsRefused()
    {
        Run(CheckpointPath);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath, dimension: 5));
        StringAssert.Contains(fault.Message, "holds a run of another network: its ");
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
    public void AFileOfANewerVersionIsRefusedWithASentence()
    {
        Run(CheckpointPath);
        byte[] bytes = File.ReadAllBytes(CheckpointPath);
        int length = (int)BitConverter.ToInt64(bytes);
        var header = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(bytes, 8, length)
            .Replace("{\\u0022version\\u0022:3", "{\\u0022version\\u0022:4", StringComparison.Ordinal));
        Assert.HasCount(length, header);
        Ssl.Estimators.Serialization.Checksums.Seal(header);
        File.WriteAllBytes(CheckpointPath, [.. bytes[..8], .. header, .. bytes[(8 + length)..]]);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath));
        StringAssert.StartsWith(fault.Message, $"The checkpoint '{CheckpointPath}' cannot be read: It was written by a newer version of this package");
    }

    [TestMethod]
    public void OnlyTheCheckpointIsLeftInTheFolder()
    {
        Run(CheckpointPath, change: settings => settings.CheckpointEveryEpochs = 3);
        CollectionAssert.AreEqual(new[] { CheckpointPath }, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void AFolderThatIsNotThereIsNamedBeforeTheFirstStep()
    {
        string path = Path.Combine(_folder, "missing", "run.checkpoint");
        int steps = 0;
        var fault = Assert.ThrowsExactly<IOException>(() => Run(path, beforeStep: (_, _) => steps++));
        StringAssert.StartsWith(fault.Message, $"Cannot write '{path}': ");
        Assert.AreEqual(0, steps);
    }

    [TestMethod]
    public void ACheckpointThatCannotBeWrittenIsAWarningAndTheModelIsReturned()
    {
        (_, Dictionary<string, float[]> expected) = Run(null);
        var warnings = new List<string>();
        (TrainingResult result, Dictionary<string, float[]> actual) = Run(CheckpointPath, warnings: warnings, beforeStep: (epoch, step) =>
        {
            // The folder is gone for the checkpoints of epochs 2 and 3, and back for that of epoch 4.
            if ((epoch, step) == (1, 1))
                Directory.Delete(_folder, recursive: true);
            else if ((epoch, step) == (3, 1))
                Directory.CreateDirectory(_folder);
        });
        Assert.AreEqual(TrainingEnd.Completed, result.End);
        PretrainingLoopTests.AssertEqual(expected, actual);
        Assert.HasCount(2, warnings);
        StringAssert.StartsWith(warnings[0],
            $"There is no checkpoint of epoch 2; the training goes on and tries again. Cannot write '{CheckpointPath}': ");
        Assert.IsTrue(File.Exists(CheckpointPath));
    }

    [TestMethod]
    public void WeightsThatAreNoNumbersReplaceNoCheckpoint()
    {
        static void Unclipped(TrainingSettings settings) => settings.GradientClipNorm = 0;
        Run(CheckpointPath, cancelAt: (1, 1), change: Unclipped);
        byte[] before = File.ReadAllBytes(CheckpointPath);
        int losses = 0;
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Run(CheckpointPath, change: Unclipped,
            spoil: loss => ++losses == 4 ? PretrainingLoopTests.WithoutSlope(loss) : loss));
        StringAssert.StartsWith(fault.Message, "A weight became NaN or infinite in epoch 2 ");
        CollectionAssert.AreEqual(before, File.ReadAllBytes(CheckpointPath));
    }

    private static (TrainingResult Result, Dictionary<string, float[]> Weights) Run(string? path, (int Epoch, int Step)? cancelAt = null,
        Action<TrainingSettings>? change = null, int dimension = 4, Func<int, double>? validation = null, int? patience = null,
        List<double>? starts = null, List<string>? warnings = null, Action<int, int>? beforeStep = null, Func<Tensor, Tensor>? spoil = null)
    {
        using var streams = new RandomStreams(11);
        using var cancellation = new CancellationTokenSource();
        int epochs = 0;
        using var method = new ToyMethod(streams, dimension: dimension) { Spoil = spoil ?? (loss => loss) };
        var source = new ToySource(streams)
        {
            BeforeStep = (epoch, step) =>
            {
                if ((epoch, step) == cancelAt)
                    cancellation.Cancel();
                beforeStep?.Invoke(epoch, step);
            },
        };
        var settings = new TrainingSettings
        {
            NumberOfEpochs = 4, BatchSize = 16, LearningRate = 0.02, CheckpointPath = path,
            Identity = new Dictionary<string, string> { ["Method"] = "toy" },
        };
        change?.Invoke(settings);
        TrainingResult result = PretrainingLoop.Run(method, source, settings, streams, CPU, new TrainingReporter(Warning: warnings is null ? null : warnings.Add),
            validation is null ? null : new EpochValidation(() => validation(++epochs), patience), cancellation.Token);
        starts?.AddRange(method.Starts);
        return (result, method.Weights());
    }
}
