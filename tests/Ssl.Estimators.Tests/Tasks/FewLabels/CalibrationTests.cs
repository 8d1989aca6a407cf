using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Tests.Tasks.FewLabels;

[TestClass]
public sealed class CalibrationTests
{
    private const int Classes = 3;

    // Log-odds of rows whose classes are drawn from them, once multiplied by a factor.
    private static (float[] LogOdds, int[] Classes) Drawn(int rows, double factor)
    {
        var random = new Random(1);
        var (logOdds, classes) = (new float[rows * Classes], new int[rows]);
        for (var row = 0; row < rows; row++)
        {
            double[] odds = [.. Enumerable.Range(0, Classes).Select(_ => 4 * random.NextDouble())];
            var (at, sum) = (random.NextDouble() * odds.Sum(Math.Exp), 0.0);
            classes[row] = Array.FindIndex(odds, value => (sum += Math.Exp(value)) > at);
            for (var k = 0; k < Classes; k++)
                logOdds[row * Classes + k] = (float)(factor * odds[k]);
        }
        return (logOdds, classes);
    }

    /// <summary>A model that is ten times too cautious, as under a strong penalty, or four times too sure, is set right.</summary>
    [TestMethod]
    [DataRow(0.1)]
    [DataRow(1.0)]
    [DataRow(4.0)]
    public void The_temperature_is_the_factor_by_which_the_model_errs(double factor)
    {
        var (logOdds, classes) = Drawn(4_000, factor);
        var found = Calibration.Of(logOdds, classes, 4_000);
        Assert.AreEqual(Math.Log(factor), Math.Log(found.Temperature), 0.13);        // steps of the fourth root of 2
        Assert.AreEqual(Calibration.Of(Drawn(4_000, 1).LogOdds, classes, 4_000).Loss, found.Loss, 0.002);
    }

    [TestMethod]
    public void Likelihoods_are_those_of_the_softmax()
    {
        var likelihoods = Calibration.At(0.5, [1, 2, 0, 0, 0, 3], [1, 0]).Likelihoods;
        Assert.AreEqual(Math.Exp(4) / (Math.Exp(2) + Math.Exp(4) + 1), likelihoods[0], 1e-12);
        Assert.AreEqual(1 / (2 + Math.Exp(6)), likelihoods[1], 1e-12);
        Assert.AreEqual(-(Math.Log(likelihoods[0]) + Math.Log(likelihoods[1])) / 2, Calibration.At(0.5, [1, 2, 0, 0, 0, 3], [1, 0]).Loss, 1e-12);
    }

    [TestMethod]
    public void A_handful_of_rows_does_not_move_it_far()
    {
        // All three are right, by little: without a doubt the lowest temperature.
        float[] logOdds = [0.1f, 0, 0, 0, 0.1f, 0, 0, 0, 0.1f];
        Assert.IsGreaterThan(0.1, Calibration.Of(logOdds, [0, 1, 2], 3).Temperature);
        Assert.IsLessThan(0.05, Calibration.Of([.. Enumerable.Repeat(logOdds, 300).SelectMany(row => row)],
            [.. Enumerable.Range(0, 900).Select(row => row % 3)], 900).Temperature);
    }
}
