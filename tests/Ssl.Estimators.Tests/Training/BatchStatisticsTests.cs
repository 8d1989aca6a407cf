using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Methods.ByHand;
using Ssl.Estimators.Training;
using static TorchSharp.torch;
using BatchNorm = Ssl.Estimators.Encoders.BatchNorm;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public sealed class BatchStatisticsTests
{
    private static readonly int[] Sizes = [7, 7, 4];

    // The second norm sees what the first gives with the statistics of its batch: the mean over batches of the unbiased variance of
    // numbers that were standardized with the biased one.
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void StatisticsAreTheMeanOverTheBatches(bool isOfTorchSharp)
    {
        using var scope = NewDisposeScope();
        var encoder = new TwoNorms(isOfTorchSharp);
        encoder.eval();
        double[] weights = [.. encoder.parameters().SelectMany(Numbers.Values)];
        double[][][] batches = [.. Sizes.Select((count, i) => Numbers.Rows(Pixels(count, i).flatten(1)))];
        for (var pass = 0; pass < 2; pass++) // what stood there before does not count
        {
            var disposed = new List<Batch>();
            BatchStatistics.Recompute(encoder, [], Batches(disposed), CPU, mixedPrecision: false);
            Assert.HasCount(3, disposed);
            Assert.IsTrue(disposed.All(batch => ((ImageBatch)batch).Pixels.IsInvalid));
            CollectionAssert.AreEqual(weights, encoder.parameters().SelectMany(Numbers.Values).ToArray(), "weights");
            Assert.IsFalse(encoder.modules().Any(module => module.training));
            var state = encoder.state_dict();
            for (var pixel = 0; pixel < 4; pixel++)
            {
                double[][] columns = [.. batches.Select(rows => rows.Select(row => row[pixel]).ToArray())];
                Assert.AreEqual(columns.Average(x => x.Average()), state["first.running_mean"][pixel].item<float>(), 1e-5);
                Assert.AreEqual(columns.Average(x => Variance(x, x.Length - 1)), state["first.running_var"][pixel].item<float>(), 1e-5);
                double[][] standardized = [.. columns.Select(x => x
                    .Select(value => (value - x.Average()) / Math.Sqrt(Variance(x, x.Length) + 1e-5)).ToArray())];
                Assert.AreEqual(0, state["second.running_mean"][pixel].item<float>(), 1e-5);
                Assert.AreEqual(standardized.Average(x => Variance(x, x.Length - 1)), state["second.running_var"][pixel].item<float>(), 1e-4);
            }
        }
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void TrainingGoesOnWithTheUsualMomentum(bool isOfTorchSharp)
    {
        using var scope = NewDisposeScope();
        var encoder = new TwoNorms(isOfTorchSharp);
        Assert.IsTrue(BatchStatistics.Has(encoder));
        BatchStatistics.Recompute(encoder, [], Batches([]), CPU, mixedPrecision: false);
        double before = encoder.state_dict()["first.running_mean"][0].item<float>();
        encoder.train();
        var pixels = Pixels(7, 5);
        encoder.call(new ImageBatch(pixels));
        double[] column = [.. Numbers.Rows(pixels.flatten(1)).Select(row => row[0])];
        Assert.AreEqual(0.9 * before + 0.1 * column.Average(), encoder.state_dict()["first.running_mean"][0].item<float>(), 1e-6);
    }

    [TestMethod]
    public void EncodersWithoutBatchNormsAreLeftAlone()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        Assert.IsFalse(BatchStatistics.Has(ImageEncoders.VisionTransformer(8, 2, 1, 1, 16, 2).Create(streams)));
        Assert.IsTrue(BatchStatistics.Has(ImageEncoders.SmallConvNet(8, 1, 2, 8).Create(streams)));
    }

    private static Tensor Pixels(int count, int seed) => Fixed.Values(40 + seed, 0.1 * seed, count, 1, 2, 2);

    private static IEnumerable<IReadOnlyList<Batch>> Batches(List<Batch> given)
    {
        for (var i = 0; i < Sizes.Length; i++)
        {
            var batch = new ImageBatch(Pixels(Sizes[i], i));
            given.Add(batch);
            yield return [batch];
        }
    }

    private static double Variance(double[] values, int divisor)
        => values.Sum(value => Math.Pow(value - values.Average(), 2)) / divisor;

    // Pixels as they are, through two norms; a dropout, which is off.
    private sealed class TwoNorms : ImageEncoder
    {
        private readonly nn.Module<Tensor, Tensor> first, second;
        private readonly nn.Module<Tensor, Tensor> dropout = nn.Dropout(0.5);

        public TwoNorms(bool isOfTorchSharp) : base(nameof(TwoNorms), new ImageShape(1, 2, 2), new ImageNormalization([0], [1]))
        {
            first = isOfTorchSharp ? nn.BatchNorm1d(4) : new BatchNorm(4);
            second = isOfTorchSharp ? nn.BatchNorm1d(4) : new BatchNorm(4);
            RegisterComponents();
        }

        public override int EmbeddingDimension => 4;

        protected override Tensor EncodePixels(Tensor pixels) => second.call(dropout.call(first.call(pixels.flatten(1))));
    }
}
