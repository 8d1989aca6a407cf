using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

[TestClass]
public sealed class SigRegTests
{
    /// <summary>The listing of SIGReg (arXiv:2511.08544) in plain loops, with all 17 points.</summary>
    /// <param name="rows">[N, D].</param>
    /// <param name="directions">[D, M], of any length.</param>
    internal static double ByHand(double[][] rows, double[][] directions)
    {
        double sum = 0;
        for (int m = 0; m < directions[0].Length; m++)
        {
            double length = Math.Sqrt(directions.Sum(row => row[m] * row[m]));
            double[] projected = [.. rows.Select(row => row.Select((x, d) => x * directions[d][m] / length).Sum())];
            var values = new double[17];
            for (int k = 0; k < 17; k++)
            {
                double t = -5 + 10.0 * k / 16, window = Math.Exp(-t * t / 2);
                double real = projected.Average(x => Math.Cos(t * x)) - window, imaginary = projected.Average(x => Math.Sin(t * x));
                values[k] = (real * real + imaginary * imaginary) * window;
            }
            for (int k = 0; k < 16; k++)
                sum += (values[k] + values[k + 1]) / 2 * (10.0 / 16);
        }
        return rows.Length * sum / directions[0].Length;
    }

    [TestMethod]
    public void SigRegIsItsLoops()
    {
        using var scope = NewDisposeScope();
        double[][] rows = ContrastiveNaive.Values(0.2, 6, 4), directions = ContrastiveNaive.Values(0.9, 4, 5);
        Assert.AreEqual(ByHand(rows, directions), SigReg.Compute(Matrix(rows), Matrix(directions)).item<double>(), 1e-9);
    }

    // In expectation N times the mean squared distance is the integral of (1 - exp(-t^2)) exp(-t^2 / 2): sqrt(2 pi) - sqrt(2 pi / 3).
    [TestMethod]
    public void NormalRowsAreNearWhatChanceGivesAndOthersAreNot()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var normal = Draws.Normal([2_000, 8], CPU, streams.Views);
        var directions = Draws.Normal([8, 64], CPU, streams.Masks);
        double chance = Math.Sqrt(2 * Math.PI) - Math.Sqrt(2 * Math.PI / 3);
        Assert.AreEqual(chance, Enumerable.Range(0, 100).Average(_ => SigReg.Compute(Draws.Normal([50, 8], CPU, streams.Views),
            Draws.Normal([8, 16], CPU, streams.Masks)).item<float>()), 0.15);
        Assert.IsGreaterThan(20 * chance, SigReg.Compute(normal * 2, directions).item<float>(), "too wide");
        Assert.IsGreaterThan(20 * chance, SigReg.Compute(normal + 0.5, directions).item<float>(), "not around 0");
        Assert.IsGreaterThan(100 * chance, SigReg.Compute(zeros(2_000, 8), directions).item<float>(), "collapsed");
    }

    [TestMethod]
    public void WrongShapesAreRefused()
    {
        using var scope = NewDisposeScope();
        foreach (var (rows, directions) in new[] { (ones(4, 3), ones(4, 2)), (ones(4), ones(4, 2)), (ones(0, 3), ones(3, 2)), (ones(4, 3), ones(3, 0)) })
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => SigReg.Compute(rows, directions)).Message, "[N, D]");
    }

    private static Tensor Matrix(double[][] rows)
        => tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1).clone();
}
