using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Tabular;

[TestClass]
public sealed class NumberMomentsTests
{
    private static NumberMoments Of(params double[] values)
    {
        var moments = new NumberMoments();
        foreach (var value in values)
            moments.Add(value);
        return moments;
    }

    [TestMethod]
    [DataRow(1.0)]
    [DataRow(1e200)]
    [DataRow(1e-200)]
    [DataRow(5e307)]
    [DataRow(1e-300)]
    public void MomentsHoldInEveryUnit(double unit)
    {
        double[] values = [0.5, -1.5, 2, 3];
        var mean = values.Sum() / 4;
        var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / 4);
        var moments = Of([.. values.Select(v => v * unit), double.NaN, double.PositiveInfinity]);
        Assert.AreEqual(4, moments.Count);
        Assert.AreEqual(mean, moments.Mean / unit, 1e-12);
        Assert.AreEqual(deviation, moments.Deviation / unit, 1e-12);
        Assert.AreEqual(-1.5 * unit, moments.Minimum);
        Assert.AreEqual(3 * unit, moments.Maximum);
        Assert.IsFalse(moments.IsConstant);
    }

    [TestMethod]
    public void NumbersFarFromZeroKeepTheirDeviation()
    {
        // Seconds since 1970, one apart: the squares themselves have no digit left for it.
        double[] values = [.. Enumerable.Range(0, 101).Select(i => 1.7e9 + i)];
        var moments = Of(values);
        Assert.AreEqual(1.7e9 + 50, moments.Mean, 1e-6);
        Assert.AreEqual(Math.Sqrt((101.0 * 101 - 1) / 12), moments.Deviation, 1e-9);
    }

    [TestMethod]
    public void OneValueIsConstantUpToRoundingOfItsOwnSize()
    {
        Assert.IsTrue(Of().IsConstant);
        Assert.IsTrue(Of(0, 0).IsConstant);
        Assert.IsTrue(Of(0.3, 0.1 + 0.2).IsConstant, "rounding");
        Assert.IsTrue(Of(-1e200, -1e200).IsConstant);
        Assert.IsFalse(Of(1e-300, 2e-300).IsConstant, "small units");
        Assert.IsFalse(Of(0, double.Epsilon).IsConstant);
        Assert.IsFalse(Of(1.7e9, 1.7e9 + 1e-5).IsConstant, "small differences of large numbers");
        Assert.IsFalse(Of(double.MinValue, double.MaxValue).IsConstant);
    }
}
