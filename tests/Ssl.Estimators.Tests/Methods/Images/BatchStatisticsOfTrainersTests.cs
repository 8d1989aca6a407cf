using Microsoft.ML.Data;
using Ssl.Estimators.Tests.Methods.ByHand;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Statistics of batch norms after a training, however it went and ended.</summary>
[TestClass]
public sealed class BatchStatisticsOfTrainersTests
{
    private const int Side = 4, Count = 70;

    // The first norm of this encoder sees the images themselves: its statistics are those of the pixels, not of views, which are black.
    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void StatisticsAreOfWholeImages(bool isStreamed, bool isCanceled)
    {
        double[][] again = Fit(isStreamed, isCanceled, recomputes: true), statistics = Fit(isStreamed, isCanceled, recomputes: true);
        CollectionAssert.AreEqual(again[0], statistics[0], "the same every time");
        CollectionAssert.AreEqual(again[1], statistics[1]);
        // 70 rows in batches of 16 make four: all but six rows, evenly. Mean and deviation of all pixels are 0 and 1 by standardization.
        double[] means = [.. Enumerable.Range(0, Side * Side).Select(pixel => Mean(pixel))];
        var (mean, deviation) = (means.Average(), Math.Sqrt(Rows().SelectMany(row => row.Image).Average(p => Math.Pow(p / 255.0, 2))
            - Math.Pow(means.Average(), 2)));
        for (var pixel = 0; pixel < means.Length; pixel++)
        {
            Assert.AreEqual((means[pixel] - mean) / deviation, statistics[0][pixel], 0.2, $"mean of pixel {pixel}");
            Assert.IsGreaterThan(0.1, statistics[1][pixel]);
        }
        double[][] without = Fit(isStreamed, isCanceled, recomputes: false);
        Assert.IsLessThan(-0.5, without[0].Max(), "the training saw black");

        static double Mean(int pixel) => Rows().Average(row => row.Image[pixel] / 255.0);
    }

    [TestMethod]
    public void TheUntrainedNetworkKeepsItsOwn()
    {
        double[][] statistics = Fit(false, false, recomputes: true, epochs: 0);
        Assert.IsTrue(statistics[0].All(mean => mean == 0));
        Assert.IsTrue(statistics[1].All(variance => variance == 1));
    }

    private static double[][] Fit(bool isStreamed, bool isCanceled, bool recomputes, int epochs = 3)
    {
        using var cancellation = new CancellationTokenSource();
        var mlContext = TestDevice.Context(1);
        var trainer = new RotationPredictionTrainer(mlContext, new RotationPredictionTrainer.Options
        {
            Encoder = ImageEncoders.OfModule("batch-statistics-test", Side, 1, Side * Side, () => nn.Sequential(nn.Flatten(),
                nn.BatchNorm1d(Side * Side))),
            View = new Black(isCanceled ? cancellation : null), BatchSize = 16, NumberOfEpochs = epochs, Seed = 1,
            CacheLimit = isStreamed ? 100 : long.MaxValue, RecomputesBatchStatistics = recomputes, CancellationToken = cancellation.Token,
        });
        using var model = trainer.Fit(mlContext.Data.LoadFromEnumerable(Rows()));
        Assert.AreEqual(isCanceled, cancellation.IsCancellationRequested);
        using var scope = NewDisposeScope();
        var state = model.Model.Network.state_dict();
        return [Numbers.Values(state["module.1.running_mean"]), Numbers.Values(state["module.1.running_var"])];
    }

    private static Row[] Rows()
    {
        var random = new Random(3);
        return [.. Enumerable.Range(0, Count).Select(_ => new Row
        {
            Image = [.. Enumerable.Range(0, Side * Side).Select(pixel => (byte)(random.Next(100) + 8 * pixel))],
        })];
    }

    private sealed class Row
    {
        [VectorType(1, Side, Side)]
        public byte[] Image { get; set; } = [];
    }

    // Black images; the fourth step is the last.
    private sealed class Black(CancellationTokenSource? ends) : ImageView
    {
        private int _calls;

        public override Tensor Apply(Tensor images, Generator generator)
        {
            if (++_calls == 4)
                ends?.Cancel();
            return zeros_like(images);
        }
    }
}
