using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
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
    public void WeightsThatAreRoundedTogetherLearnAsThoseThatAreRoundedWhereTheyAreUsed()
    {
        Tensor Train(bool joins, int dimension, int epochs = 2)
        {
            using var streams = new RandomStreams(3);
            var vocabulary = new TokenVocabulary(50, PaddingId: 0, UnknownId: 1, ClassId: 2, SeparatorId: 3, MaskId: 4, SpecialCount: 5);
            // Its output layer is the table of its inputs, which therefore learns of both, the rounded weights and the exact ones.
            using var method = new MaskedLanguageModelTrainer.Method(TextEncoders.Transformer(2, dimension, 2).Create(vocabulary, streams), vocabulary, streams, new());
            if (epochs == 0)
                return All(method);
            var settings = new TrainingSettings { NumberOfEpochs = epochs, BatchSize = 8, MixedPrecision = true, JoinsParameters = joins, WeightDecay = 0.1, LearningRate = 0.01 };
            PretrainingLoop.Run(method, new Texts(vocabulary), settings, streams, CPU);
            return All(method);
        }

        static Tensor All(nn.Module module) => cat([.. module.parameters().Select(parameter => parameter.detach().reshape(-1))]);

        using var scope = NewDisposeScope();
        // 12: parts that do not end where the next may begin.
        foreach (int dimension in (int[])[12, 64])
        {
            Tensor start = Train(false, dimension, epochs: 0), expected = Train(false, dimension), actual = Train(true, dimension);
            // Of what was learned; where a slope is 0, such as that of the keys' biases, AdamW enlarges what rounding leaves.
            Assert.IsLessThan(0.02, ((actual - expected).norm() / (expected - start).norm()).item<float>(), $"dimension {dimension}");
        }
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

    private sealed class Texts(TokenVocabulary vocabulary) : IBatchSource
    {
        public long? RowCount => 32;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
            => Enumerable.Range(0, 4).Select(i => (IReadOnlyList<Batch>)[TokenTexts.Random(8, 9, vocabulary, 4 * epoch + i, specialTokens: true)]);
    }
}
