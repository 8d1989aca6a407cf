using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Views;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

/// <summary>Networks in bfloat16: near the exact result, weights and gradients exact, off when the scope ends.</summary>
[TestClass]
public sealed class MixedPrecisionTests
{
    private const int Side = 8;

    // Every architecture, and a batch for it.
    private static IEnumerable<(EncoderFactory Factory, Encoder Encoder, Batch Batch)> Networks(RandomStreams streams)
    {
        foreach (var factory in (ImageEncoderFactory[])[ImageEncoders.SmallConvNet(Side, 2, 2, 8), ImageEncoders.ResNet18(Side, 2, width: 4),
            ImageEncoders.ResNet50(Side, 2, width: 2), ImageEncoders.VisionTransformer(Side, 4, 2, 2, 16, 2)])
        {
            yield return (factory, factory.Create(streams), new ImageBatch(ImageSamples.Random(16, 2, Side, 3)));
        }
        var vocabulary = new TokenVocabulary(50, PaddingId: 0, UnknownId: 1, ClassId: 2, SeparatorId: 3, MaskId: 4, SpecialCount: 5);
        foreach (var factory in (TextEncoderFactory[])[TextEncoders.Bag(16, 16), TextEncoders.Transformer(2, 16, 2),
            new BertTextEncoderFactory(new BertSizes { Words = 50, NumberOfLayers = 2, Dimension = 16, NumberOfHeads = 2, FeedForwardDimension = 32,
                Positions = 20, MaximumTokens = 12, RelativePositions = 8 })])
        {
            yield return (factory, factory.Create(vocabulary, streams), TokenTexts.Random(16, 9, vocabulary, 1, specialTokens: true));
        }
        foreach (var factory in (TabularEncoderFactory[])[TabularEncoders.Mlp(3, 16), TabularEncoders.ResidualMlp(2, 16), TabularEncoders.ColumnTransformer(2, 16, 2)])
            yield return (factory, factory.Create(TableBatches.Layout, streams), TableBatches.Random(TableBatches.Layout, 16, 1));
        foreach (var factory in (TimeSeriesEncoderFactory[])[TimeSeriesEncoders.DilatedConvolution(16, 8, 2), TimeSeriesEncoders.PooledConvolution(16),
            TimeSeriesEncoders.PatchTransformer(4, 2, 16, 2), TimeSeriesEncoders.SoundTransformer(16, 8, 2, 1, 2)])
        {
            yield return (factory, factory.Create(new SeriesLayout(2, null), streams), TestSeries.Tones(16, 32));
        }
    }

    [TestMethod]
    public void EmbeddingsAndGradientsAreNearTheExactOnes()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var faults = new List<string>();
        foreach (var (factory, encoder, batch) in Networks(streams))
        {
            // Statistics over a batch of few pixels would enlarge the rounding.
            encoder.eval();
            Tensor onCpu;
            using (no_grad())
                onCpu = encoder.call(batch);
            encoder.to(TestDevice.Torch);
            var input = batch.To(TestDevice.Torch);
            // A direction, since the length of what a norm gives does not change.
            var direction = arange(onCpu.numel(), dtype: ScalarType.Float32, device: TestDevice.Torch).sin().view(onCpu.shape);
            var (exact, gradients) = Run(mixed: false);
            var (rounded, roundedGradients) = Run(mixed: true);
            var (again, _) = Run(mixed: false);
            Assert.IsTrue(factory.RoundsToBFloat16, factory.Kind);
            Assert.AreEqual(ScalarType.Float32, rounded.dtype, factory.Kind);
            Expect("embeddings on this device from those on the CPU", Relative(exact.cpu(), onCpu), 0, 1e-4);
            Expect("embeddings", Relative(rounded, exact), 1e-5, 0.03);
            Expect("gradients", Relative(roundedGradients, gradients), 1e-5, 0.25);
            Expect("embeddings when the scope has ended", Relative(again, exact), 0, 1e-6);
            Assert.IsTrue(encoder.parameters().All(parameter => parameter.dtype == ScalarType.Float32), factory.Kind);
            Assert.IsTrue(Learning().All(parameter => parameter.grad!.dtype == ScalarType.Float32), factory.Kind);

            void Expect(string what, double difference, double least, double most)
            {
                if (!(difference >= least && difference <= most))
                    faults.Add($"{factory.Kind}: {what} differ by {difference:0.000000} of their norm");
            }

            // What a mask alone uses gets no gradient of an embedding.
            IEnumerable<Parameter> Learning() => encoder.parameters().Where(parameter => parameter.grad is not null);

            (Tensor, Tensor) Run(bool mixed)
            {
                encoder.zero_grad();
                Tensor embeddings;
                using (MixedPrecision.Begin(mixed))
                    embeddings = encoder.call(input);
                (embeddings * direction).sum().backward();
                return (embeddings.detach(), cat([.. Learning().Select(parameter => parameter.grad!.flatten())], 0).clone());
            }
        }
        Assert.AreEqual("", string.Join(Environment.NewLine, faults));
    }

    [TestMethod]
    public void AWeightIsRoundedOnceAStepAndLearnsAllTheSame()
    {
        using var scope = NewDisposeScope();
        var weight = nn.Parameter(ones(2, 2, dtype: ScalarType.Float32));
        using (MixedPrecision.Begin(true))
        {
            using (no_grad())
                Assert.IsFalse(MixedPrecision.Round(weight).requires_grad, "of a pass that does not learn");
            var rounded = MixedPrecision.Round(weight);
            Assert.IsTrue(rounded.requires_grad, "a pass that does not learn has lent its own");
            Assert.AreEqual(rounded.Handle, MixedPrecision.Round(weight).Handle);
            using (no_grad())
                Assert.AreEqual(rounded.Handle, MixedPrecision.Round(weight).Handle);
            rounded.to(ScalarType.Float32).sum().backward();
            Assert.AreEqual(4, weight.grad!.sum().item<float>());
        }
        Assert.AreEqual(weight.Handle, MixedPrecision.Round(weight).Handle, "off");
    }

    [TestMethod]
    public void TheDecoderOfMaskedMethodsComputesInItToo()
    {
        using var scope = NewDisposeScope();
        double Loss(bool mixed)
        {
            using var streams = new RandomStreams(1);
            using var method = new MaskedAutoencoderTrainer.Method(ImageEncoders.VisionTransformer(Side, 2, 1, 1, 16, 2).Create(streams),
                streams, new() { DecoderDimension = 16 });
            using (MixedPrecision.Begin(mixed))
                return method.Loss([new ImageBatch(ImageSamples.Random(16, 1, Side, 1))]).Total.item<float>();
        }
        double exact = Loss(mixed: false), rounded = Loss(mixed: true);
        Assert.AreNotEqual(exact, rounded);
        Assert.AreEqual(exact, rounded, 0.02 * exact);
    }

    private static double Relative(Tensor a, Tensor b) => ((a - b).norm() / b.norm()).item<float>();
}
