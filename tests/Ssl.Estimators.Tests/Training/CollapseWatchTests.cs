using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class CollapseWatchTests
{
    [TestMethod]
    public void EqualDirectionsHaveNoSpread()
    {
        using var scope = NewDisposeScope();
        Tensor lengths = arange(1, 9, dtype: ScalarType.Float32).reshape(8, 1); // same direction, other lengths
        Assert.AreEqual(0, CollapseWatch.Measure(lengths * ones(1, 5))!.ToDouble(), 1e-6);
    }

    [TestMethod]
    public void EvenDirectionsHaveASpreadOfOne()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        Assert.AreEqual(1, CollapseWatch.Measure(randn(4000, 32, generator: generator))!.ToDouble(), 0.01);
    }

    [TestMethod]
    public void OppositeDirectionsByHand()
    {
        using var scope = NewDisposeScope();
        // Two rows (1, 0), two rows (-1, 0): std (unbiased) of the first column is sqrt(4/3), of the second 0.
        Tensor rows = tensor(new float[] { 1, 0, -1, 0, 2, 0, -3, 0 }, 4, 2);
        Assert.AreEqual(Math.Sqrt(4.0 / 3) / 2 * Math.Sqrt(2), CollapseWatch.Measure(rows)!.ToDouble(), 1e-6);
    }

    [TestMethod]
    public void ZeroVectorsDoNotDivideByZero()
    {
        using var scope = NewDisposeScope();
        Assert.AreEqual(0, CollapseWatch.Measure(zeros(8, 4))!.ToDouble());
    }

    [TestMethod]
    public void TooFewRowsSayNothing()
    {
        using var scope = NewDisposeScope();
        Assert.IsNull(CollapseWatch.Measure(null));
        Assert.IsNull(CollapseWatch.Measure(ones(3, 4)));
    }

    [TestMethod]
    public void WarnsOnceAndNotAtTheStart()
    {
        var watch = new CollapseWatch(0.1, patience: 0.2);
        Assert.IsFalse(watch.Add(0.01, 0.1));
        Assert.IsTrue(watch.Add(0.01, 0.25));
        Assert.IsFalse(watch.Add(0.01, 0.3));
        Assert.AreEqual(0.01, watch.Spread);
    }

    [TestMethod]
    public void OneNarrowBatchIsNoCollapse()
    {
        var watch = new CollapseWatch(0.1, patience: 0);
        for (int i = 0; i < 10; i++)
            Assert.IsFalse(watch.Add(0.8, 0.5));
        Assert.IsFalse(watch.Add(0.01, 0.5));
        var warnings = Enumerable.Range(0, 30).Count(_ => watch.Add(0.01, 0.6));
        Assert.AreEqual(1, warnings);
    }

    [TestMethod]
    public void ThresholdZeroNeverWarns()
    {
        var watch = new CollapseWatch(0, patience: 0);
        Assert.IsFalse(watch.Add(0, 1));
    }
}
