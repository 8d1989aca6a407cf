using System.Runtime.InteropServices;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Training.Toy;
using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

/// <summary>What a run computes in, and what it says where that cannot be, or where memory does not suffice.</summary>
[TestClass]
public sealed class DevicePrecisionTests
{
    [TestMethod]
    public void AProcessorWithoutTheInstructionsRefusesBFloat16()
    {
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => TorchDevice.RequireBFloat16(CPU, isUsable: false));
        StringAssert.StartsWith(fault.Message, "MixedPrecision is true, but this processor has no instructions for bfloat16");
        TorchDevice.RequireBFloat16(CPU, isUsable: true);
        TorchDevice.RequireBFloat16(new Device(DeviceType.CUDA, 0), isUsable: false);
    }

    [TestMethod]
    public void AStepThatNeedsMoreMemoryThanThereIsSaysWhatToLowerAndHarmsNothing()
    {
        using (var streams = new RandomStreams(1))
        {
            // 64 PiB: no machine has them.
            using var method = new ToyMethod(streams) { Spoil = loss => loss.add(zeros(1L << 54, dtype: ScalarType.Float32, device: loss.device).sum()) };
            var fault = Assert.ThrowsExactly<InvalidOperationException>(() => PretrainingLoop.Run(method, new ToySource(streams),
                new TrainingSettings { NumberOfEpochs = 1, BatchSize = 16 }, streams, TestDevice.Torch));
            StringAssert.StartsWith(fault.Message, $"The memory of {TorchDevice.Describe(TestDevice.Torch)} is too small for a step of 16 rows. "
                + "Lower BatchSize, set MixedPrecision to true, take a smaller encoder, or shorten what a row holds. Torch says: ");
            Assert.IsInstanceOfType<ExternalException>(fault.InnerException);
        }
        using var again = new RandomStreams(1);
        using var other = new ToyMethod(again);
        Assert.AreEqual(TrainingEnd.Completed, PretrainingLoop.Run(other, new ToySource(again),
            new TrainingSettings { NumberOfEpochs = 1, BatchSize = 16 }, again, TestDevice.Torch).End);
    }

    [TestMethod]
    public void TensorFloat32IsAllowedWhileARunLastsAndOnAGpuOnly()
    {
        Assert.IsNull(TensorFloat32.Begin(true, CPU));
        Assert.IsNull(TensorFloat32.Begin(false, new Device(DeviceType.CUDA, 0)));
        var before = (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32);
        using (TensorFloat32.Begin(true, new Device(DeviceType.CUDA, 0)))
            Assert.AreEqual((true, true), (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32));
        Assert.AreEqual(before, (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32));
    }
}
