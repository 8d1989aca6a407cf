using Ssl.Estimators.Tasks;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Tasks;

[TestClass]
public sealed class SoftmaxRegressionTests
{
    private const int Rows = 60, Slots = 12, Classes = 4;

    /// <summary>
    /// The solution is where no direction lowers the loss: the gradient, in plain loops, balances the penalty's; where a weight is 0 it is
    /// within the L1 penalty.
    /// </summary>
    [TestMethod]
    [DataRow(0.0, 0.1, false)]
    [DataRow(0.0, 0.003, true)]
    [DataRow(0.01, 0.01, false)]
    [DataRow(0.02, 0.0003, true)]
    public void No_direction_lowers_the_loss(double l1, double l2, bool weighted)
    {
        var random = new Random(3);
        var x = Enumerable.Range(0, Rows * Slots).Select(_ => (float)(2 * random.NextDouble() - 1)).ToArray();
        // Soft targets that sum to 1, and weights of rows.
        var y = Enumerable.Range(0, Rows).SelectMany(i =>
        {
            var raw = Enumerable.Range(0, Classes).Select(k => Math.Exp(3 * x[i * Slots + k] + random.NextDouble())).ToArray();
            return raw.Select(value => (float)(value / raw.Sum()));
        }).ToArray();
        var w = Enumerable.Range(0, Rows).Select(_ => weighted ? random.NextSingle() * 3 : 1).ToArray();
        using var scope = NewDisposeScope();
        var fitted = SoftmaxRegression.Fit(new DenseDesign(tensor(x, [Rows, Slots])), tensor(y, [Rows, Classes]), weighted ? tensor(w) : null, new Penalty(l1, l2),
            maximumIterations: 2_000, tolerance: 0);
        var parameters = fitted.data<float>().ToArray();

        var gradient = new double[(Slots + 1) * Classes];
        for (var i = 0; i < Rows; i++)
        {
            var logits = Enumerable.Range(0, Classes).Select(k => parameters[Slots * Classes + k]
                + Enumerable.Range(0, Slots).Sum(s => (double)x[i * Slots + s] * parameters[s * Classes + k])).ToArray();
            var sum = logits.Sum(Math.Exp);
            for (var k = 0; k < Classes; k++)
            {
                var error = w[i] / w.Sum() * (Math.Exp(logits[k]) / sum - y[i * Classes + k]);
                for (var s = 0; s < Slots; s++)
                    gradient[s * Classes + k] += error * x[i * Slots + s];
                gradient[Slots * Classes + k] += error;
            }
        }
        for (var j = 0; j < gradient.Length; j++)
        {
            var isBias = j >= Slots * Classes;
            var smooth = gradient[j] + (isBias ? 0 : l2 * parameters[j]);
            if (isBias || l1 == 0)
                Assert.AreEqual(0, smooth, 2e-4, $"parameter {j}");
            else if (parameters[j] == 0)
                Assert.IsLessThanOrEqualTo(l1 + 2e-4, Math.Abs(smooth), $"parameter {j}");
            else
                Assert.AreEqual(0, smooth + l1 * Math.Sign(parameters[j]), 2e-4, $"parameter {j}");
        }
        var zeros = parameters.Take(Slots * Classes).Count(value => value == 0);
        Assert.IsTrue(l1 == 0 ? zeros == 0 : zeros > 5, $"{zeros} weights are 0");
    }

    [TestMethod]
    public void A_start_near_the_solution_leads_to_it()
    {
        using var scope = NewDisposeScope();
        var random = new Random(4);
        var x = new DenseDesign(tensor(Enumerable.Range(0, Rows * Slots).Select(_ => random.NextSingle()).ToArray(), [Rows, Slots]));
        var y = zeros(Rows, Classes);
        for (var i = 0; i < Rows; i++)
            y[i, i % Classes] = 1;
        var cold = SoftmaxRegression.Fit(x, y, null, new Penalty(0, 0.01), maximumIterations: 2_000, tolerance: 0);
        var warm = SoftmaxRegression.Fit(x, y, null, new Penalty(0, 0.01), cold.add(0.01f), maximumIterations: 2_000, tolerance: 0);
        // One bias for all classes more changes nothing.
        var (a, b) = (SoftmaxRegression.Logits(x, cold).softmax(1), SoftmaxRegression.Logits(x, warm).softmax(1));
        Assert.IsLessThan(2e-3f, a.sub(b).abs().max().item<float>());
    }

    /// <summary>A feature that a row names twice counts twice, one that no row names keeps a weight of 0.</summary>
    [TestMethod]
    public void Numbers_of_features_are_a_matrix_of_counts()
    {
        using var scope = NewDisposeScope();
        var random = new Random(5);
        var numbers = Enumerable.Range(0, Rows * 5).Select(_ => (long)random.Next(Slots - 1)).ToArray();
        var counts = new float[Rows * Slots];
        for (var i = 0; i < numbers.Length; i++)
            counts[i / 5 * Slots + numbers[i]]++;
        Assert.Contains(2f, counts, "some row names a feature twice");
        DesignMatrix indicators = new IndicatorDesign(tensor(numbers, [Rows, 5]), Slots), dense = new DenseDesign(tensor(counts, [Rows, Slots]));
        Assert.AreEqual((Rows, Slots), (indicators.Rows, indicators.Width));
        var (weights, values) = (randn(Slots, Classes), randn(Rows, Classes));
        Assert.IsLessThan(1e-5f, indicators.Times(weights).sub(dense.Times(weights)).abs().max().item<float>());
        Assert.IsLessThan(1e-5f, indicators.TransposedTimes(values).sub(dense.TransposedTimes(values)).abs().max().item<float>());

        var targets = randn(Rows, Classes).softmax(1);
        var (a, b) = (SoftmaxRegression.Fit(indicators, targets, null, new Penalty(0, 0.01)), SoftmaxRegression.Fit(dense, targets, null, new Penalty(0, 0.01)));
        Assert.IsLessThan(1e-3f, a.sub(b).abs().max().item<float>());
        Assert.AreEqual(0, a[Slots - 1].abs().max().item<float>());
    }
}
