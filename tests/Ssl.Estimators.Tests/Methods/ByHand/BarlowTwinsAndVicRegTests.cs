using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>Methods that compare dimensions over the batch.</summary>
[TestClass]
public sealed class BarlowTwinsAndVicRegTests
{
    private const int Count = 7, Dimension = 4;

    // Zbontar et al., 2021 (arXiv:2103.03230), equations 1 and 2: (1 - C_ii)^2 added up, and lambda times C_ij^2, C the correlation of
    // dimension i of one view with j of the other. 1e-5 beside the variances as in batch normalization; the loss is a tenth of the paper's.
    [TestMethod]
    [ByHand(typeof(BarlowTwinsTrainer.Method))]
    public void BarlowTwinsComparesTheCorrelationsWithTheIdentity()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new BarlowTwinsTrainer.Method(encoder, streams,
            new() { View = view, OffDiagonalWeight = 0.3f, ProjectionDimension = Dimension });
        var loss = method.Loss([TinyImageEncoder.Images(Count)]);
        Assert.AreEqual(2, view.Calls, "two draws of the view");
        Numbers.AreEqual(ByHand(), loss.Total);
        loss.Total.backward();
        Numbers.IsTheSlope(encoder.Weight, ByHand);

        double ByHand()
        {
            double[][][] z = Projected(method, encoder, view);
            double sum = 0;
            for (var i = 0; i < Dimension; i++)
            {
                for (var k = 0; k < Dimension; k++)
                {
                    double[] a = Column(z[0], i), b = Column(z[1], k);
                    double correlation = Covariance(a, b, Count)
                        / Math.Sqrt((Covariance(a, a, Count) + 1e-5) * (Covariance(b, b, Count) + 1e-5));
                    sum += i == k ? Math.Pow(1 - correlation, 2) : 0.3 * correlation * correlation;
                }
            }
            return 0.1 * sum;
        }
    }

    // Bardes, Ponce, LeCun, 2022 (arXiv:2105.04906), equations 1 to 6: lambda s + mu (v(Z) + v(Z')) + nu (c(Z) + c(Z')) with gamma 1 and
    // epsilon 1e-4; the two v are halved and the distance is a mean over dimensions too, as in the authors' code.
    [TestMethod]
    [ByHand(typeof(VicRegTrainer.Method))]
    public void VicRegWeighsDistanceVarianceAndCovariance()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(2);
        var encoder = new TinyImageEncoder();
        using var method = new VicRegTrainer.Method(encoder, streams, new()
        {
            View = view, InvarianceWeight = 7, VarianceWeight = 11, CovarianceWeight = 3, ProjectionDimension = Dimension,
        });
        // Some dimensions vary enough, some do not: both sides of the hinge.
        using (no_grad())
            Steps.Weight(method, "projection.layers.2.weight").mul_(tensor([0.5f, 1, 3, 4]).unsqueeze(1));
        double[][] spreads = [.. Projected(method, encoder, view: null).Select(z => Spreads(z))];
        Assert.IsTrue(spreads.All(s => s.Any(d => d > 1.1) && s.Any(d => d < 0.9)), string.Join(", ", spreads.SelectMany(s => s)));

        var loss = method.Loss([TinyImageEncoder.Images(Count)]);
        Assert.AreEqual(2, view.Calls, "two draws of the view");
        var (s, v, c) = Terms();
        Numbers.AreEqual(s, loss, "invariance");
        Numbers.AreEqual(v, loss, "variance");
        Numbers.AreEqual(c, loss, "covariance");
        Numbers.AreEqual(ByHand(), loss.Total);
        loss.Total.backward();
        Numbers.IsTheSlope(encoder.Weight, ByHand);

        double ByHand()
        {
            var (distance, variance, covariance) = Terms();
            return 7 * distance + 11 * variance + 3 * covariance;
        }

        (double Distance, double Variance, double Covariance) Terms()
        {
            double[][][] z = Projected(method, encoder, view);
            double distance = z[0].Zip(z[1], Numbers.SquaredDistance).Average() / Dimension;
            double variance = z.Sum(half => Spreads(half).Average(spread => Math.Max(0, 1 - spread))) / 2;
            double covariance = 0;
            foreach (double[][] half in z)
            {
                for (var i = 0; i < Dimension; i++)
                {
                    for (var k = 0; k < Dimension; k++)
                        covariance += i == k ? 0 : Math.Pow(Covariance(Column(half, i), Column(half, k), Count - 1), 2) / Dimension;
                }
            }
            return (distance, variance, covariance);
        }
    }

    private static double[] Spreads(double[][] rows) => [.. Enumerable.Range(0, Dimension)
        .Select(i => Math.Sqrt(Covariance(Column(rows, i), Column(rows, i), Count - 1) + 1e-4))];

    private static double[] Column(double[][] rows, int column) => [.. rows.Select(row => row[column])];

    private static double Covariance(double[] a, double[] b, int divisor)
        => a.Zip(b, (x, y) => (x - a.Average()) * (y - b.Average())).Sum() / divisor;

    // The two halves of what the projection makes of the views.
    private static double[][][] Projected(PretrainingMethod method, TinyImageEncoder encoder, RecordedView? view)
    {
        var pixels = view?.Returned([0, 1]) ?? TinyImageEncoder.Images(2 * Count).Pixels;
        return Numbers.Parts(Steps.Call(Steps.Child<ProjectionMlp>(method, "projection"), encoder.Embed(pixels)), 2);
    }
}
