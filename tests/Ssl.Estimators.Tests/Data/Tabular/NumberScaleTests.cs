using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Tabular;

[TestClass]
public sealed class NumberScaleTests
{
    private static NumberScale Learn(NumericScaling scaling, float[] values)
    {
        var mean = values.Length == 0 ? 0 : values.Average(v => (double)v);
        var deviation = values.Length == 0 ? 0 : Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
        return NumberScale.Learn(scaling, values.Length, mean, deviation, [.. values]);
    }

    [TestMethod]
    public void ZScoresHaveMeanZeroAndDeviationOne()
    {
        float[] values = [3, 5, 9, 1, 2];
        var scale = Learn(NumericScaling.ZScore, values);
        float[] scaled = [.. values.Select(scale.Scale)];
        Assert.AreEqual(0, scaled.Average(), 1e-6);
        Assert.AreEqual(1, scaled.Average(v => v * v), 1e-6);
        Assert.AreEqual(10, scale.Scale(1e9f));
        Assert.AreEqual(-10, scale.Scale(float.NegativeInfinity));
    }

    [TestMethod]
    public void QuantilesBecomeThoseOfTheNormalDistribution()
    {
        // Heavily skewed: squares of 1 to 10,001.
        float[] values = [.. Enumerable.Range(1, 10_001).Select(i => (float)i * i)];
        var scale = Learn(NumericScaling.Quantile, values);
        Assert.AreEqual(0, scale.Scale(values[5_000]), 0.01);
        Assert.AreEqual(1, scale.Scale(values[8_413]), 0.01);           // 84.13 % lie below one standard deviation
        Assert.AreEqual(-1.96, scale.Scale(values[250]), 0.02);
        Assert.IsTrue(values.Zip(values.Skip(1)).All(p => scale.Scale(p.First) <= scale.Scale(p.Second)), "rising");
        Assert.AreEqual(scale.Scale(values[^1]), scale.Scale(float.PositiveInfinity), "beyond the range is its end");
        Assert.AreEqual(scale.Scale(values[0]), scale.Scale(-5f));
        Assert.IsLessThan(4f, scale.Scale(float.MaxValue));
    }

    [TestMethod]
    public void EqualValuesShareTheMiddleOfTheirRanks()
    {
        // Half of the values are 0, the others spread above: 0 stands at the rank 1/4.
        float[] values = [.. Enumerable.Repeat(0f, 1_000), .. Enumerable.Range(1, 1_000).Select(i => (float)i)];
        Assert.AreEqual(NumberScale.NormalQuantile(0.25), Learn(NumericScaling.Quantile, values).Scale(0), 0.02);
    }

    [TestMethod]
    public void OneValueOrNoneIsAlwaysZero()
    {
        foreach (var scaling in Enum.GetValues<NumericScaling>())
        {
            foreach (var values in (float[][])[[], [4, 4, 4], [7]])
            {
                var scale = Learn(scaling, values);
                foreach (var number in (float[])[4, -1e30f, float.PositiveInfinity])
                    Assert.AreEqual(0, scale.Scale(number), $"{scaling} of {values.Length}");
            }
        }
    }

    [TestMethod]
    public void NormalQuantilesAgreeWithTables()
    {
        foreach (var (p, z) in (((double, double)[])[(0.5, 0), (0.975, 1.959964), (0.8413447, 1), (0.001, -3.090232), (1e-5, -4.264891)]))
        {
            Assert.AreEqual(z, NumberScale.NormalQuantile(p), 1e-5);
            Assert.AreEqual(-z, NumberScale.NormalQuantile(1 - p), 1e-5);
        }
    }

    [TestMethod]
    public void ScalesGoThroughJson()
    {
        float[] values = [.. Enumerable.Range(0, 500).Select(i => MathF.Sin(i) * i)];
        foreach (var scaling in Enum.GetValues<NumericScaling>())
        {
            var scale = Learn(scaling, values);
            var read = NumberScale.FromJson(JsonNode.Parse(scale.ToJson().ToJsonString())!.AsObject());
            foreach (var value in values)
                Assert.AreEqual(scale.Scale(value), read.Scale(value));
            CollectionAssert.AreEqual(scale.Edges, read.Edges);
            Assert.HasCount(NumberScale.Bins + 1, scale.Edges);
        }
    }
}
