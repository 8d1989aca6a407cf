using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>The methods for sound.</summary>
[TestClass]
public sealed class AudioTests
{
    // Niizumi et al., 2021 (arXiv:2103.06695), section III.A: BYOL's loss and following network over stretches of sounds.
    [TestMethod]
    [ByHand(typeof(ByolATrainer.Method))]
    public void ByolAPredictsWhatAFollowingNetworkHearsOfTheOtherChange()
    {
        const int most = 16, channels = 2, view = 3;
        int[] lengths = [12, 20, 30, 16, 17];
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(1), same = new(1);
        var recorded = new RecordedSeriesView(view);
        TinySeriesEncoder encoder = new(), target = new();
        using var method = new ByolATrainer.Method(encoder, target, streams, new()
        {
            View = recorded, MaximumCropLength = most, Momentum = 0.7f, ProjectionDimension = 4, HiddenDimension = 6,
        });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var targetProjection = Steps.Child<ProjectionMlp>(method, "target_projection");
        var prediction = Steps.Child<ProjectionMlp>(method, "prediction");
        var noise = new Random(view);
        var sounds = TestSeries.Of(lengths);
        double[][][] whole = Numbers.Cubes(sounds.Values);
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([sounds]);
            Assert.HasCount(2 * (step + 1), recorded.Returned, "two draws of the view");
            // A stretch of each that is longer than 16, drawn from all places where one can begin.
            float[] draws = TestSeries.Floats(Draws.Uniform([lengths.Length, 1], CPU, same.Views));
            int[] starts = [.. lengths.Select((length, i) => (int)(draws[i] * Math.Max(1, length - most + 1)))];
            float[] cut = [.. whole.SelectMany((rows, i) => rows.SelectMany(row => row.Skip(starts[i]).Take(most))).Select(value => (float)value)];
            foreach (var returned in recorded.Returned[^2..])
            {
                float[] changed = TestSeries.Floats(Fixed.Values(noise, -0.5, lengths.Length, channels, most));
                for (var i = 0; i < returned.Length; i++)
                    Assert.AreEqual(cut[i] + changed[i], returned[i], 1e-6f, "the view of the stretch");
            }
            var both = Batch([.. recorded.Returned[^2], .. recorded.Returned[^1]]);
            double[][][] z = Numbers.Parts(Steps.Call(targetProjection, Heard(target)), 2);
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(Steps.Weight(encoder, "now"), ByHand);
            double[][] before = Steps.Weights(target), headBefore = Steps.Weights(targetProjection);
            double progress = 0.3 * (step + 1);
            Steps.Descend(method, progress);
            Steps.Follows(before, target, encoder, Steps.Rising(0.7, progress));
            Steps.Follows(headBefore, targetProjection, projection, Steps.Rising(0.7, progress));

            Tensor Heard(TinySeriesEncoder by)
            {
                using var noGrad = no_grad();
                return by.call(both);
            }

            double ByHand()
            {
                double[][][] p = Numbers.Parts(Steps.Call(prediction, Steps.Call(projection, Heard(encoder))), 2);
                return Distance(p[0], z[1]) + Distance(p[1], z[0]);
            }
        }

        SeriesBatch Batch(float[] values)
        {
            bool[] inside = [.. Enumerable.Range(0, 2).SelectMany(_ => lengths.SelectMany(length => Enumerable.Range(0, most).Select(t => t < length)))];
            return new SeriesBatch(tensor(values, [2 * lengths.Length, channels, most]), tensor(inside).view(-1, most), tensor(inside).view(-1, most));
        }

        static double Distance(double[][] p, double[][] z) => p.Zip(z, (a, b) => Numbers.SquaredDistance(Numbers.Unit(a), Numbers.Unit(b))).Average();
    }

    [TestMethod]
    public void ThePredictorLearnsFaster()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var method = new ByolATrainer.Method(new TinySeriesEncoder(), new TinySeriesEncoder(), streams, new() { PredictorLearningRateMultiplier = 7 });
        Assert.AreEqual(7, method.RateOf("prediction.layers.0.weight").Scale);
        Assert.AreEqual(1, method.RateOf("projection.layers.0.weight").Scale);
    }
}
