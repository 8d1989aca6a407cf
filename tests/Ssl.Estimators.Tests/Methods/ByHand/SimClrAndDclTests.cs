using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>SimCLR and its decoupled form.</summary>
[TestClass]
public sealed class SimClrAndDclTests
{
    private const int Count = 5;

    // Chen et al., 2020 (arXiv:2002.05709), equation 1 and algorithm 1.
    [TestMethod]
    [ByHand(typeof(SimClrTrainer.Method))]
    public void SimClrFindsThePartnerAmongAllOtherViews()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new SimClrTrainer.Method(encoder, streams, new() { View = view, Temperature = 0.3f, ProjectionDimension = 4 });
        var loss = method.Loss([TinyImageEncoder.Images(Count)]);
        Assert.AreEqual(2, view.Calls, "two draws of the view");
        Numbers.AreEqual(ByHand(), loss.Total);
        loss.Total.backward();
        Numbers.IsTheSlope(encoder.Weight, ByHand);

        double ByHand()
        {
            double[][] z = Projected(method, encoder, view);
            double sum = 0;
            for (var i = 0; i < 2 * Count; i++)
            {
                double denominator = 0;
                for (var k = 0; k < 2 * Count; k++)
                    denominator += k == i ? 0 : Math.Exp(Numbers.Cosine(z[i], z[k]) / 0.3);
                sum -= Math.Log(Math.Exp(Numbers.Cosine(z[i], z[Partner(i)]) / 0.3) / denominator);
            }
            return sum / (2 * Count);
        }
    }

    // Yeh et al., 2022 (arXiv:2110.06848): L_DC and, with a sigma, L_DCW with the negative von Mises-Fisher weight
    // 2 - exp(<z1, z2> / sigma) / mean of exp(<z1, z2> / sigma), which has no gradient.
    [TestMethod]
    [DataRow(null)]
    [DataRow(0.7f)]
    [ByHand(typeof(DclTrainer.Method))]
    public void DclLeavesThePartnerOutOfTheDenominator(float? sigma)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new DclTrainer.Method(encoder, streams,
            new() { View = view, Temperature = 0.4f, Sigma = sigma, ProjectionDimension = 4 });
        var loss = method.Loss([TinyImageEncoder.Images(Count)]);
        Assert.AreEqual(2, view.Calls, "two draws of the view");
        double[] weights = Weights();
        Numbers.AreEqual(ByHand(), loss.Total);
        loss.Total.backward();
        Numbers.IsTheSlope(encoder.Weight, ByHand);

        double[] Weights()
        {
            double[][] z = Projected(method, encoder, view);
            double[] likeness = [.. Enumerable.Range(0, Count)
                .Select(i => sigma is { } s ? Math.Exp(Numbers.Cosine(z[i], z[Partner(i)]) / s) : 1)];
            return [.. likeness.Select(one => 2 - one / likeness.Average())];
        }

        double ByHand()
        {
            double[][] z = Projected(method, encoder, view);
            double sum = 0;
            for (var i = 0; i < 2 * Count; i++)
            {
                double negatives = 0;
                for (var k = 0; k < 2 * Count; k++)
                    negatives += k == i || k == Partner(i) ? 0 : Math.Exp(Numbers.Cosine(z[i], z[k]) / 0.4);
                sum += -weights[i % Count] * Numbers.Cosine(z[i], z[Partner(i)]) / 0.4 + Math.Log(negatives);
            }
            return sum / (2 * Count);
        }
    }

    // Views stand one after the other: i and i + N show the same image.
    private static int Partner(int i) => (i + Count) % (2 * Count);

    private static double[][] Projected(PretrainingMethod method, TinyImageEncoder encoder, RecordedView view)
        => Numbers.Rows(Steps.Call(Steps.Child<ProjectionMlp>(method, "projection"), encoder.Embed(view.Returned([0, 1]))));
}
