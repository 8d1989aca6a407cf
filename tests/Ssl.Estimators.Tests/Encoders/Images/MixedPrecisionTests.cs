using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Views;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

/// <summary>Image networks in bfloat16: near the exact result, weights and gradients exact, off when the scope ends.</summary>
[TestClass]
public sealed class MixedPrecisionTests
{
    private const int Side = 8;

    private static IEnumerable<ImageEncoderFactory> Factories()
    {
        yield return ImageEncoders.SmallConvNet(Side, 2, 2, 8);
        yield return ImageEncoders.ResNet18(Side, 2, width: 4);
        yield return ImageEncoders.ResNet50(Side, 2, width: 2);
        yield return ImageEncoders.VisionTransformer(Side, 4, 2, 2, 16, 2);
    }

    [TestMethod]
    public void EmbeddingsAndGradientsAreNearTheExactOnes()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(streams);
            // Statistics over a batch of few pixels would enlarge the rounding.
            encoder.eval();
            var images = new ImageBatch(ImageSamples.Random(16, 2, Side, 3));
            var (exact, gradients) = Run(mixed: false);
            var (rounded, roundedGradients) = Run(mixed: true);
            var (again, _) = Run(mixed: false);
            Assert.AreEqual(ScalarType.Float32, rounded.dtype, factory.Kind);
            double difference = Relative(rounded, exact);
            Assert.IsTrue(difference is > 1e-5 and < 0.03, $"{factory.Kind}: embeddings differ by {difference:0.00000} of their norm");
            Assert.IsTrue(ImageSamples.Same(exact, again), "the scope has ended");
            Assert.IsTrue(encoder.parameters().All(parameter => parameter.dtype == ScalarType.Float32), factory.Kind);
            Assert.IsTrue(encoder.parameters().All(parameter => parameter.grad!.dtype == ScalarType.Float32), factory.Kind);
            double gradientDifference = Relative(roundedGradients, gradients);
            Assert.IsLessThan(0.15, gradientDifference, $"{factory.Kind}: share of the gradient's norm");

            (Tensor, Tensor) Run(bool mixed)
            {
                encoder.zero_grad();
                Tensor embeddings;
                using (MixedPrecision.Begin(mixed))
                    embeddings = encoder.call(images);
                embeddings.square().sum().backward();
                return (embeddings.detach(), cat([.. encoder.parameters().Select(parameter => parameter.grad!.flatten())], 0).clone());
            }
        }
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
