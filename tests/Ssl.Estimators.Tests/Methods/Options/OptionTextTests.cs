using Ssl.Estimators.Methods;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Options in words.</summary>
[TestClass]
public sealed class OptionTextTests
{
    private sealed class NoTrainerName;

    private sealed class WithoutDefaults(int size)
    {
        public int Size { get; set; } = size;
    }

    [TestMethod]
    public void A_run_says_method_device_seed_and_length()
    {
        var options = new SimClrTrainer.Options();
        Assert.AreEqual("SimClr on cpu, seed 7, 1,200 steps (40 epochs of 30): all options have their defaults", OptionTexts.Run(typeof(SimClrTrainer), options, 40, 30, 7, CPU));
        Assert.AreEqual("SimClr on cpu, seed 7, 40 epochs of streamed rows: all options have their defaults", OptionTexts.Run(typeof(SimClrTrainer), options, 40, null, 7, CPU));
        Assert.AreEqual("NoTrainerName on cpu, seed 7, untrained: all options have their defaults", OptionTexts.Run(typeof(NoTrainerName), options, 0, null, 7, CPU));
        options.Temperature = 0.25f;
        Assert.AreEqual("SimClr on cpu, seed 7, untrained: Temperature 0.25", OptionTexts.Run(typeof(SimClrTrainer), options, 0, 3, 7, CPU));
    }

    [TestMethod]
    public void What_differs_from_its_default_is_told_but_not_whom_a_run_reports_to()
    {
        Assert.AreEqual("", OptionTexts.Changed(new SimClrTrainer.Options()));
        var options = new SimClrTrainer.Options
        {
            BatchSize = 99, CheckpointPath = "a", Progress = new Progress<PretrainingProgress>(), CancellationToken = new CancellationTokenSource().Token,
        };
        var told = OptionTexts.Changed(options).Split(", ");
        CollectionAssert.AreEquivalent(new[] { "BatchSize 99", "CheckpointPath 'a'" }, told);
        Assert.AreEqual("BatchSize 99", OptionTexts.Changed(options, nameof(options.CheckpointPath)));
        Assert.AreEqual("Size 3", OptionTexts.Changed(new WithoutDefaults(3)), "there are no defaults to compare with");
    }
}
