using System.Text.Json.Nodes;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Tests.Data.TimeSeries;

[TestClass]
public sealed class SeriesScalingTests
{
    private static (SeriesScaling Scaling, List<string> Warnings) Learn(NumericScaling scaling, int channels, params double[][] series)
    {
        var (learner, warnings) = (new SeriesScaling.Learner(channels), new List<string>());
        foreach (var one in series)
            learner.Add(one);
        return (SeriesScaling.FromJson(JsonNode.Parse(learner.Learned(scaling, "Series", warnings.Add).ToJson().ToJsonString())!.AsObject()), warnings);
    }

    [TestMethod]
    public void EveryChannelHasItsScaleWhateverItsUnit()
    {
        double[] values = [3, 5, 9, 1, 2, 4];
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Average(v => (v - mean) * (v - mean)));
        foreach (var unit in (double[])[1, 1e-9, 1e-30, 1e200])
        {
            var (scaling, warnings) = Learn(NumericScaling.ZScore, 2, [.. values.Select(v => v * unit), .. values.Select(v => 1.7e9 + v)]);
            Assert.HasCount(0, warnings);
            foreach (var value in values)
            {
                Assert.AreEqual((value - mean) / deviation, scaling.Scale(value * unit, 0), 1e-5, $"{unit}");
                Assert.AreEqual((value - mean) / deviation, scaling.Scale(1.7e9 + value, 1), 1e-5);
            }
            Assert.IsTrue(float.IsNaN(scaling.Scale(double.NaN, 0)) && float.IsNaN(scaling.Scale(double.NegativeInfinity, 1)));
        }
    }

    [TestMethod]
    public void AnOutlierIsSaidAndRobustScalesDoNotSeeIt()
    {
        double[] series = [.. Enumerable.Range(0, 99).Select(i => i % 10.0), 1e9];
        var (plain, warnings) = Learn(NumericScaling.ZScore, 1, series);
        Assert.HasCount(1, warnings);
        StringAssert.Contains(warnings[0], "'Series' (from 0 to 1E+09");
        StringAssert.Contains(warnings[0], "Set NumericScaling to Robust");
        Assert.IsLessThan(1e-6f, plain.Scale(9, 0) - plain.Scale(0, 0));
        var (robust, silent) = Learn(NumericScaling.Robust, 1, series);
        Assert.HasCount(0, silent);
        Assert.IsGreaterThan(1f, robust.Scale(9, 0) - robust.Scale(0, 0));
        Assert.AreEqual(10, robust.Scale(1e9, 0));
    }

    [TestMethod]
    public void AChannelOfOneValueIsSaidAndWhatItHides()
    {
        var (scaling, warnings) = Learn(NumericScaling.ZScore, 2, [1, 2, 3, 7, 7, 7]);
        StringAssert.Contains(warnings.Single(), "channel 1 of 'Series' (7)");
        Assert.AreEqual(0, scaling.Scale(1e9, 1));
        Assert.IsTrue(scaling.Hides(8, 1));
        Assert.IsFalse(scaling.Hides(7, 1) || scaling.Hides(8, 0) || scaling.Hides(double.NaN, 1));
    }

    [TestMethod]
    public void ScalesOfOlderModelsComputeAsTheyDid()
    {
        var json = new JsonObject { ["means"] = new JsonArray(0.1f, 5f), ["deviations"] = new JsonArray(0.3f, 2f) };
        var scaling = SeriesScaling.FromJson(json);
        Assert.AreEqual((1.7f - 0.1f) / 0.3f, scaling.Scale(1.7f, 0));
        Assert.AreEqual((1.7f - 5f) / 2f, scaling.Scale(1.7f, 1));
        Assert.IsTrue(JsonNode.DeepEquals(json, scaling.ToJson()));
        Assert.ThrowsExactly<FormatException>(() => SeriesScaling.FromJson(new JsonObject { ["scales"] = new JsonArray() }));
    }
}
