using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.Tabular;

[TestClass]
public sealed class NumberScaleTests
{
    private static NumberScale Learn(NumericScaling scaling, params double[] values)
    {
        var moments = new NumberMoments();
        foreach (var value in values)
            moments.Add(value);
        return NumberScale.Learn(scaling, moments, [.. values]);
    }

    [TestMethod]
    public void ZScoresHaveMeanZeroAndDeviationOne()
    {
        double[] values = [3, 5, 9, 1, 2];
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
        double[] values = [.. Enumerable.Range(1, 10_001).Select(i => (double)i * i)];
        var scale = Learn(NumericScaling.Quantile, values);
        Assert.AreEqual(0, scale.Scale(values[5_000]), 0.01);
        Assert.AreEqual(1, scale.Scale(values[8_413]), 0.01);           // 84.13 % lie below one standard deviation
        Assert.AreEqual(-1.96, scale.Scale(values[250]), 0.02);
        Assert.IsTrue(values.Zip(values.Skip(1)).All(p => scale.Scale(p.First) <= scale.Scale(p.Second)), "rising");
        Assert.AreEqual(scale.Scale(values[^1]), scale.Scale(float.PositiveInfinity), "beyond the range is its end");
        Assert.AreEqual(scale.Scale(values[0]), scale.Scale(-5));
        Assert.IsLessThan(4f, scale.Scale(float.MaxValue));
    }

    [TestMethod]
    public void EqualValuesShareTheMiddleOfTheirRanks()
    {
        // Half of the values are 0, the others spread above: 0 stands at the rank 1/4.
        double[] values = [.. Enumerable.Repeat(0.0, 1_000), .. Enumerable.Range(1, 1_000).Select(i => (double)i)];
        Assert.AreEqual(NumberScale.NormalQuantile(0.25), Learn(NumericScaling.Quantile, values).Scale(0), 0.02);
    }

    [TestMethod]
    public void OneValueOrNoneIsAlwaysZero()
    {
        foreach (var scaling in Enum.GetValues<NumericScaling>())
        {
            foreach (var values in (double[][])[[], [4, 4, 4], [7]])
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
        double[] values = [.. Enumerable.Range(0, 500).Select(i => Math.Sin(i) * i)];
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

    [TestMethod]
    public void RobustScalesAreThoseOfTheMiddleHalf()
    {
        // 1 to 9 and an outlier: median 5.5, quartiles 3.25 and 7.75.
        var scale = Learn(NumericScaling.Robust, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1e12);
        Assert.AreEqual((9 - 5.5) / (4.5 / 1.349), scale.Scale(9), 1e-5);
        Assert.AreEqual((1 - 5.5) / (4.5 / 1.349), scale.Scale(1), 1e-5);
        Assert.AreEqual(10, scale.Scale(1e12));
        // The deviation makes of the nine next to nothing.
        var plain = Learn(NumericScaling.ZScore, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1e12);
        Assert.IsLessThan(1e-6f, plain.Scale(9) - plain.Scale(1));
        // Eight in ten are 0: the quartiles are the same, the 10th and the 90th of 100 are not.
        var sparse = Learn(NumericScaling.Robust, [.. Enumerable.Repeat(0.0, 80), .. Enumerable.Range(1, 20).Select(i => (double)i)]);
        Assert.AreEqual(0, sparse.Scale(0));
        Assert.AreEqual(10 / (10.1 / 2.5631), sparse.Scale(10), 0.01);
        // All but one are 0: the standard deviation is left.
        var rare = Learn(NumericScaling.Robust, [.. Enumerable.Repeat(0.0, 999), 1]);
        Assert.IsLessThan(0f, rare.Scale(0));
        Assert.AreEqual(10, rare.Scale(1));
    }

    [TestMethod]
    [DataRow(1.7e9, 1.0)]
    [DataRow(9e15, 65536.0)]
    [DataRow(0.0, 1e-9)]
    [DataRow(0.0, 1e200)]
    [DataRow(0.0, 1e-290)]
    [DataRow(123_456_789.00, 0.01)]
    public void WhatDiffersInDoubleDiffersScaled(double offset, double step)
    {
        double[] values = [.. Enumerable.Range(0, 200).Select(i => offset + i * step)];
        foreach (var scaling in Enum.GetValues<NumericScaling>())
        {
            var (scale, plain) = (Learn(scaling, values), Learn(scaling, [.. Enumerable.Range(0, 200).Select(i => (double)i)]));
            for (var i = 0; i < 200; i++)
                Assert.AreEqual(plain.Scale(i), scale.Scale(values[i]), 1e-4, $"{scaling}, {values[i]}");
            Assert.HasCount(200, values.Select(scale.Scale).Distinct().ToArray(), $"{scaling}");
        }
    }

    [TestMethod]
    public void TheLargestNumbersHaveRanks()
    {
        var scale = Learn(NumericScaling.Quantile, double.MinValue, -1e308, 0, 1e308, double.MaxValue);
        float[] scaled = [.. ((double[])[double.MinValue, -1e308, -0.5e308, 0, 1e308, double.MaxValue]).Select(scale.Scale)];
        Assert.IsTrue(scaled.All(float.IsFinite));
        CollectionAssert.AreEqual(scaled.Order().ToArray(), scaled);
        Assert.HasCount(6, scaled.Distinct().ToArray());
    }

    [TestMethod]
    public void ScalesOfOlderModelsNarrowAsTheyDid()
    {
        var edges = new JsonArray([.. Enumerable.Range(0, 17).Select(i => (JsonNode)(float)i)]);
        var standard = NumberScale.FromJson(new JsonObject { ["edges"] = edges.DeepClone(), ["mean"] = 16_777_216.0, ["factor"] = 1.0 });
        Assert.AreEqual(standard.Scale(16_777_216), standard.Scale(16_777_217), "Single does not tell them apart");
        var quantiles = new JsonArray([.. Enumerable.Range(0, 129).Select(i => (JsonNode)(float)(i < 64 ? 0.1f : i))]);
        var ranks = NumberScale.FromJson(JsonNode.Parse(new JsonObject { ["edges"] = edges.DeepClone(), ["quantiles"] = quantiles, ["lowest"] = 0.01 }
            .ToJsonString())!.AsObject());
        // 0.1 fills the lower half: it stands in the middle of that.
        Assert.AreEqual(NumberScale.NormalQuantile(63 / 2.0 / 128), ranks.Scale(0.1), 1e-6);
        var read = NumberScale.FromJson(JsonNode.Parse(ranks.ToJson().ToJsonString())!.AsObject());
        Assert.AreEqual(ranks.Scale(0.1), read.Scale(0.1));
        Assert.IsFalse(ranks.ToJson().ContainsKey("precision"), "it is still one of an older model");
    }

    [TestMethod]
    public void AConstantIsToldAndWhatItHides()
    {
        var constant = NumberScale.FromJson(Learn(NumericScaling.Quantile, 0.1, 0.1).ToJson());
        Assert.AreEqual("0.1", constant.ConstantText);
        Assert.IsTrue(constant.Hides(0.2) && constant.Hides(0) && constant.Hides(double.PositiveInfinity));
        Assert.IsFalse(constant.Hides(0.1) || constant.Hides(double.NaN));
        var none = NumberScale.FromJson(Learn(NumericScaling.ZScore).ToJson());
        Assert.AreEqual("no value", none.ConstantText);
        Assert.IsTrue(none.Hides(0));
        Assert.IsFalse(Learn(NumericScaling.ZScore, 1, 2).Hides(3));
    }
}
