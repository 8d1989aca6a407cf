using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Tests.Tasks.FewLabels;

[TestClass]
public sealed class StackingTests
{
    /// <summary>The weights are those of the best mixture on a fine grid, the imagined rows counted in.</summary>
    [TestMethod]
    public void Weights_are_the_most_likely_ones()
    {
        var random = new Random(1);
        double[][] likelihoods = [[.. Enumerable.Range(0, 200).Select(_ => random.NextDouble())],
            [.. Enumerable.Range(0, 200).Select(_ => 0.3 + 0.5 * random.NextDouble())]];
        var weights = Stacking.Weights(likelihoods, repeats: 1, rowsForSimplest: 4);
        Assert.AreEqual(1, weights.Sum(), 1e-9);
        double Loss(double w) => -likelihoods[0].Zip(likelihoods[1], (a, b) => Math.Log(w * a + (1 - w) * b)).Sum()
            - 0.5 * Math.Log(w) - 4.5 * Math.Log(1 - w);
        var best = Enumerable.Range(1, 9_999).Select(i => i / 10_000.0).MinBy(Loss);
        Assert.AreEqual(best, weights[0], 2e-3);
    }

    [TestMethod]
    public void Rows_that_stand_there_twice_count_once()
    {
        double[] good = [.. Enumerable.Repeat(0.9, 6)], poor = [.. Enumerable.Repeat(0.5, 6)];
        var once = Stacking.Weights([good, poor], repeats: 1, rowsForSimplest: 4);
        var twice = Stacking.Weights([[.. good, .. good], [.. poor, .. poor]], repeats: 2, rowsForSimplest: 4);
        Assert.AreEqual(once[0], twice[0], 1e-6);
    }

    [TestMethod]
    public void With_hardly_any_rows_the_simplest_model_keeps_a_share()
    {
        var weights = Stacking.Weights([[.. Enumerable.Repeat(0.99, 8)], [.. Enumerable.Repeat(0.7, 8)]], repeats: 1, rowsForSimplest: 4);
        Assert.IsGreaterThan(0.3, weights[1]);
        Assert.IsLessThan(0.01, Stacking.Weights([[.. Enumerable.Repeat(0.99, 2_000)], [.. Enumerable.Repeat(0.7, 2_000)]], repeats: 1, rowsForSimplest: 4)[1]);
    }
}
