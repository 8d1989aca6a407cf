using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

[TestClass]
public sealed class LeJepaTests
{
    private const int Count = 5, Locals = 3;

    // Balestriero and LeCun, 2025 (arXiv:2511.08544), the listing of LeJEPA: (1 - lambda) x the mean squared distance of all views to the
    // mean of the large ones, which gets its gradient, + lambda x the mean of SIGReg over the views, all along the same directions.
    [TestMethod]
    [ByHand(typeof(LeJepaTrainer.Method))]
    public void LeJepaDrawsViewsTogetherAndKeepsEachNormal()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(1), same = new(1);
        var (large, small) = (new RecordedView(2), new RecordedView(3, side: 4));
        var encoder = new TinyImageEncoder();
        using var method = new LeJepaTrainer.Method(encoder, streams, new()
        {
            Crops = new MultiCrop(large, 2, small, Locals), ProjectionDimension = 4, HiddenDimension = 6, RegularizationWeight = 0.3,
            NumberOfDirections = 7,
        });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        for (var step = 0; step < 2; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(2 * (step + 1), large.Calls, "two large views in each step");
            Assert.AreEqual(Locals * (step + 1), small.Calls, "three small views in each step");
            double[][] directions = Numbers.Rows(Draws.Normal([4, 7], CPU, same.Masks));
            var (prediction, regularization) = Terms();
            Numbers.AreEqual(prediction, loss, "prediction");
            Numbers.AreEqual(regularization, loss, "regularization");
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, ByHand);
            Steps.Descend(method, progress: 0.5);

            double ByHand()
            {
                var (distance, statistic) = Terms();
                return 0.7 * distance + 0.3 * statistic;
            }

            // Each kind of view in a batch of its own, as batch normalization sees them.
            (double Prediction, double Regularization) Terms()
            {
                double[][][] views = [.. Projected(large, 2), .. Projected(small, Locals)];
                double distance = 0;
                foreach (double[][] view in views)
                {
                    for (var i = 0; i < Count; i++)
                    {
                        double[] center = [.. views[0][i].Zip(views[1][i], (a, b) => (a + b) / 2)];
                        distance += Numbers.SquaredDistance(view[i], center) / (views.Length * Count * 4);
                    }
                }
                return (distance, views.Average(view => SigRegTests.ByHand(view, directions)));
            }

            double[][][] Projected(RecordedView view, int count) => Numbers.Parts(Steps.Call(projection,
                encoder.Embed(view.Returned([.. Enumerable.Range(count * step, count)]))), count);
        }
    }
}
