using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Contrast with the nearest neighbors of the views.</summary>
[TestClass]
public sealed class NnclrTests
{
    private const int Count = 5, SupportSize = 7;

    // Dwibedi et al., 2021 (arXiv:2104.14548), equation 3 with the predictor of section 3.2: -log exp(NN(z_i) p_i / T) / sum over k of
    // exp(NN(z_i) p_k / T), both ways; the neighbor is the most similar vector of the support set (equation 4), which the first view's
    // projections enter after the step.
    [TestMethod]
    [ByHand(typeof(NnclrTrainer.Method))]
    public void TheNearestEarlierVectorStandsForAView()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new NnclrTrainer.Method(encoder, streams,
            new() { View = view, Temperature = 0.3f, SupportSize = SupportSize, ProjectionDimension = 4, HiddenDimension = 6 });
        var projection = Steps.Child<ProjectionMlp>(method, "projection");
        var prediction = Steps.Child<ProjectionMlp>(method, "prediction");
        double[][] support = Numbers.Rows(Support());
        for (var step = 0; step < 3; step++)
        {
            var loss = method.Loss([TinyImageEncoder.Images(Count, seed: 30 + step)]);
            Assert.AreEqual(2 * (step + 1), view.Calls, "two draws of the view in each step");
            double[][][] z = Numbers.Parts(Projected(step), 2);
            double[][][] neighbors = [.. z.Select(half => half.Select(Nearest).ToArray())];
            Assert.IsGreaterThan(1, neighbors[0].Distinct().Count(), "not one neighbor for all");
            Numbers.AreEqual(ByHand(), loss.Total, $"loss of step {step}");
            Steps.Backward(method, loss);
            Numbers.IsTheSlope(encoder.Weight, ByHand);

            Steps.Descend(method, progress: 0.5);
            support = [.. z[0].Select(Numbers.Unit), .. support[..(SupportSize - Count)]];
            Numbers.AreEqual(support.SelectMany(vector => vector), Support(), $"support set after step {step}");

            double ByHand()
            {
                double[][][] p = Numbers.Parts(Steps.Call(prediction, Projected(step)), 2);
                return (Numbers.OneDirection(neighbors[0], p[1], 0.3) + Numbers.OneDirection(neighbors[1], p[0], 0.3)) / 2;
            }
        }

        Tensor Support() => method.state_dict()["support.vectors"];

        Tensor Projected(int step) => Steps.Call(projection, encoder.Embed(view.Returned([2 * step, 2 * step + 1])));

        double[] Nearest(double[] vector) => support.MaxBy(other => Numbers.Cosine(vector, other))!;
    }
}
