using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views.TimeSeries;

/// <summary>What the views of time series change, and what they leave.</summary>
[TestClass]
public sealed class SeriesViewTests
{
    [TestMethod]
    public void PaddingStaysPaddingAndSoDoShapes()
    {
        foreach (var view in (SeriesView[])[new Jitter(), new Scaling(), new SegmentPermutation(), SeriesViews.Weak(), SeriesViews.Strong(),
            new TimeMask(0.5, 3), new FrequencyMask(1, 4), new SpectrogramGain(), new TimeShift(0.5)])
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(1);
            var series = TestSeries.Of(7, 12);
            var changed = view.Apply(series, generator);
            CollectionAssert.AreEqual(series.Values.shape, changed.Values.shape);
            CollectionAssert.AreEqual(TestSeries.Floats(series.Mask), TestSeries.Floats(changed.Mask));
            Assert.AreEqual(0, changed.Values[0].narrow(1, 7, 5).abs().sum().item<float>());
            CollectionAssert.AreNotEqual(TestSeries.Floats(series.Values), TestSeries.Floats(changed.Values));
        }
    }

    [TestMethod]
    public void JitterHasItsDeviationAndScalingOneFactorAChannel()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var series = TestSeries.Of([.. Enumerable.Repeat(50, 60)]);
        var noise = new Jitter(0.3).Apply(series, generator).Values - series.Values;
        Assert.AreEqual(0.3, noise.std().item<float>(), 0.02);
        var factors = (new Scaling(0.2).Apply(series, generator).Values / series.Values).narrow(2, 1, 49);      // the first value may be 0
        Assert.IsLessThan(1e-3f, (factors.amax(2) - factors.amin(2)).abs().amax().item<float>());
        Assert.AreEqual(0.2, factors.select(2, 0).std().item<float>(), 0.06);
    }

    [TestMethod]
    public void APermutationKeepsTheValuesAndMovesChannelsTogether()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var series = TestSeries.Of([.. Enumerable.Repeat(20, 200)]);
        var changed = new SegmentPermutation(4).Apply(series, generator);
        CollectionAssert.AreEqual(TestSeries.Floats(series.Values.sort(2, descending: false, stable: true).Item1),
            TestSeries.Floats(changed.Values.sort(2, descending: false, stable: true).Item1));
        var sums = changed.Values.select(1, 0) + changed.Values.select(1, 1);       // the channels add up to 2 at every time
        Assert.IsLessThan(1e-5f, (sums - 2).abs().amax().item<float>());
        // At most four stretches: at most three places where neighbors were no neighbors before.
        var rows = Enumerable.Range(0, 200)
            .Select(i => (Old: TestSeries.Floats(series.Values[i, 0]), New: TestSeries.Floats(changed.Values[i, 0]))).ToArray();
        int[] breaks = [.. rows.Select(r => Enumerable.Range(0, 19)
            .Count(t => Array.IndexOf(r.Old, r.New[t]) + 1 != Array.IndexOf(r.Old, r.New[t + 1])))];
        Assert.IsLessThanOrEqualTo(3, breaks.Max());
        Assert.IsGreaterThan(0, breaks.Count(b => b == 0));
        Assert.IsGreaterThan(0, breaks.Count(b => b == 3));
    }

    [TestMethod]
    public void SettingsOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Jitter(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Scaling(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SegmentPermutation(0));
        Assert.Throws<ArgumentException>(() => SeriesViews.Compose());
    }
}
