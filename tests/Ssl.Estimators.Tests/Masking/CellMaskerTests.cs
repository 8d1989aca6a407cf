using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Masking;

[TestClass]
public sealed class CellMaskerTests
{
    [TestMethod]
    public void HiddenCellsLookMissingAndOnlyKnownOnesAreTargets()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var batch = TableBatches.Random(TableBatches.Layout, 1_000, seed: 1, missing: 0.2);
        var masked = new CellMasker(0.3).Apply(batch, generator);
        Assert.IsFalse(masked.Numbers.logical_and(batch.Missing).any().item<bool>());
        Assert.IsFalse(masked.Codes.logical_and(batch.Codes.eq(TableLayout.MissingCode)).any().item<bool>());
        Assert.IsTrue(masked.Batch.Missing.equal(batch.Missing.logical_or(masked.Numbers)).all().item<bool>());
        Assert.IsTrue(masked.Batch.Numbers.equal(batch.Numbers.masked_fill(masked.Numbers, 0)).all().item<bool>());
        Assert.IsTrue(masked.Batch.Codes.equal(batch.Codes.masked_fill(masked.Codes, TableLayout.MissingCode)).all().item<bool>());
    }

    [TestMethod]
    public void ManyCellsAreHiddenWithTheirShare()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var layout = new TableLayout([.. Enumerable.Range(0, 40).Select(i => $"{i}")], [], [],
            [.. Enumerable.Range(0, 40).Select(_ => new float[] { 0, 1 })]);
        var masked = new CellMasker(0.3).Apply(TableBatches.Random(layout, 2_000, seed: 1, missing: 0), generator);
        Assert.AreEqual(0.3, masked.Numbers.to(ScalarType.Float32).mean().item<float>(), 0.01);
    }

    [TestMethod]
    public void EveryRowHasATargetAndKeepsACell()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var batch = TableBatches.Random(TableBatches.Layout, 500, seed: 1, missing: 0);
        foreach (var ratio in (double[])[0.01, 0.99])
        {
            var masked = new CellMasker(ratio).Apply(batch, generator);
            var hidden = masked.Numbers.sum(1) + masked.Codes.sum(1);
            Assert.IsTrue(hidden.ge(1).all().item<bool>() && hidden.le(3).all().item<bool>(), $"ratio {ratio}");
        }
    }

    [TestMethod]
    public void ARowOfOneCellHasNothingToTellItFrom()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var masked = new CellMasker(0.5).Apply(TableBatches.Random(TableBatches.Categories, 50, seed: 1, missing: 0), generator);
        Assert.IsFalse(masked.Codes.any().item<bool>());
    }

    [TestMethod]
    public void RatiosOutOfRange()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new CellMasker(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new CellMasker(1));
    }
}
