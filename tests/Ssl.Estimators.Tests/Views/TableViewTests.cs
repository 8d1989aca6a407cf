using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

[TestClass]
public sealed class TableViewTests
{
    private static IEnumerable<(string Name, TableView View)> All()
    {
        yield return ("swap", new MarginalSwap(0.6));
        yield return ("zero", new ZeroOut(0.4));
        yield return ("noise", new GaussianNoise(0.3, 0.5));
        yield return ("cutmix", new TableCutMix(0.4));
        yield return ("mixup", new TableMixup(0.5));
        yield return ("subset", new FeatureSubset(0.5));
        yield return ("weak", TableViews.Weak());
        yield return ("strong", TableViews.Strong());
    }

    [TestMethod]
    public void EveryViewKeepsShapesAndItsInputAndWorksOnAnyLayoutAndOneRow()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        foreach (var layout in (TableLayout[])[TableBatches.Layout, TableBatches.Numbers, TableBatches.Categories])
        {
            foreach (var rows in (int[])[1, 64])
            {
                var batch = TableBatches.Random(layout, rows, seed: 2);
                var (numbers, codes) = (batch.Numbers.clone(), batch.Codes.clone());
                foreach (var (name, view) in All())
                {
                    var result = view.Apply(batch, generator);
                    CollectionAssert.AreEqual(batch.Numbers.shape, result.Numbers.shape, name);
                    CollectionAssert.AreEqual(batch.Missing.shape, result.Missing.shape, name);
                    CollectionAssert.AreEqual(batch.Codes.shape, result.Codes.shape, name);
                    Assert.IsTrue(result.Numbers.isfinite().all().item<bool>(), name);
                    Assert.IsFalse(result.Missing.logical_and(result.Numbers.ne(0)).any().item<bool>(), $"{name}: a missing number is 0");
                    Assert.IsTrue(numbers.equal(batch.Numbers).all().item<bool>() && codes.equal(batch.Codes).all().item<bool>(),
                        $"{name} changed its input");
                }
            }
        }
    }

    [TestMethod]
    public void EveryViewDrawsForEachRowAndFollowsItsGeneratorAlone()
    {
        using var scope = NewDisposeScope();
        var batch = TableBatches.Random(TableBatches.Layout, 400, seed: 3);
        foreach (var (name, view) in All())
        {
            string Draw(ulong seed)
            {
                using var generator = new Generator(seed);
                var result = view.Apply(batch, generator);
                return string.Join(';', result.Numbers.Rows<float>().Zip(result.Codes.Rows<long>(),
                    (n, c) => $"{string.Join(',', n)}|{string.Join(',', c)}"));
            }
            Assert.AreEqual(Draw(7), Draw(7), name);
            Assert.AreNotEqual(Draw(7), Draw(8), name);
        }
        // The same row many times: what is hidden differs from row to row.
        var same = new TableBatch(batch.Numbers.narrow(0, 0, 1).expand(200, 2).contiguous(), zeros(200, 2, dtype: ScalarType.Bool),
            full(200, 2, 3, dtype: ScalarType.Int64));
        using var other = new Generator(1);
        var hidden = new ZeroOut(0.5).Apply(same, other);
        Assert.IsGreaterThan(3, hidden.Missing.Rows<bool>().Select(row => string.Join(',', row)).Distinct().Count());
    }

    [TestMethod]
    public void SwappedCellsComeFromTheirColumnWithTheirShare()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        const int rows = 2_000;
        var batch = TableBatches.Random(TableBatches.Layout, rows, seed: 4);
        var result = new MarginalSwap(0.6).Apply(batch, generator);
        float[][] before = batch.Numbers.Rows<float>(), after = result.Numbers.Rows<float>();
        for (var column = 0; column < 2; column++)
        {
            var values = before.Select(row => row[column]).ToHashSet();
            Assert.IsTrue(after.All(row => values.Contains(row[column])), "a swapped value is not of its column");
            var changed = Enumerable.Range(0, rows).Count(i => before[i][column] != after[i][column]);
            Assert.AreEqual(0.6, changed / (double)rows, 0.05);          // a few swaps hit an equal (missing) value
        }
        // Marginals stay: the means of a column agree within sampling error.
        Assert.AreEqual(before.Average(row => row[0]), after.Average(row => row[0]), 0.1);
    }

    [TestMethod]
    public void CutMixTakesAllCellsOfARowFromOneOther()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        // A row's cells all hold its number, so a cell tells where it came from.
        var numbers = arange(0, 100, dtype: ScalarType.Float32).unsqueeze(1).expand(100, 8).contiguous();
        var batch = new TableBatch(numbers, zeros(100, 8, dtype: ScalarType.Bool), zeros(100, 0, dtype: ScalarType.Int64));
        var result = new TableCutMix(0.5).Apply(batch, generator).Numbers.Rows<float>();
        for (var i = 0; i < result.Length; i++)
            Assert.IsLessThanOrEqualTo(1, result[i].Where(source => source != i).Distinct().Count(), $"row {i}");
        var swapped = new MarginalSwap(0.9).Apply(batch, generator).Numbers.Rows<float>();
        Assert.IsTrue(swapped.Any(row => row.Distinct().Count() > 4), "a marginal swap draws a row for every cell");
    }

    [TestMethod]
    public void MixupIsTheWeightedMeanOfTwoRows()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var batch = TableBatches.Random(TableBatches.Numbers, 50, seed: 4, missing: 0);
        float[][] before = batch.Numbers.Rows<float>(), after = new TableMixup(0.7).Apply(batch, generator).Numbers.Rows<float>();
        for (var i = 0; i < before.Length; i++)
        {
            var row = before[i];
            // Some other row and one share explain all cells.
            var explained = before.Any(other =>
            {
                var share = Math.Abs(row[0] - other[0]) < 1e-6 ? 1 : (after[i][0] - other[0]) / (row[0] - other[0]);
                return share is >= 0.69f and <= 1.01f
                    && row.Zip(other, after[i]).All(c => Math.Abs(share * c.First + (1 - share) * c.Second - c.Third) < 1e-3);
            });
            Assert.IsTrue(explained, $"row {i}");
        }
    }

    [TestMethod]
    public void AFeatureSubsetKeepsTheSameNumberOfCells()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var batch = TableBatches.Random(TableBatches.Layout, 300, seed: 4, missing: 0);
        var result = new FeatureSubset(0.5).Apply(batch, generator);
        var kept = result.Missing.logical_not().sum(1) + result.Codes.ne(TableLayout.MissingCode).sum(1);
        Assert.IsTrue(kept.eq(2).all().item<bool>());
        Assert.AreEqual(0.5, result.Missing.select(1, 0).to(ScalarType.Float32).mean().item<float>(), 0.1, "each column as often");
    }

    [TestMethod]
    public void NoiseHasItsDeviationAndLeavesTheRest()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var batch = TableBatches.Random(TableBatches.Layout, 4_000, seed: 4);
        var result = new GaussianNoise(0.25).Apply(batch, generator);
        var noise = (result.Numbers - batch.Numbers).masked_select(batch.Missing.logical_not());
        Assert.AreEqual(0.25, noise.std().item<float>(), 0.01);
        Assert.AreEqual(0, noise.mean().item<float>(), 0.01);
        Assert.IsTrue(result.Codes.equal(batch.Codes).all().item<bool>());
    }

    [TestMethod]
    public void ViewsFreeEverythingButTheirResult()
    {
        using var generator = new Generator(5);
        using var batch = TableBatches.Random(TableBatches.Layout, 8, seed: 1);
        foreach (var (name, view) in All())
        {
            var before = Tensor.TotalCount;
            var result = view.Apply(batch, generator);
            Assert.IsLessThanOrEqualTo(before + 3, Tensor.TotalCount, name);
            result.Dispose();
        }
    }

    [TestMethod]
    public void FaultyShares()
    {
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new MarginalSwap(1.1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ZeroOut(-0.1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new GaussianNoise(-1));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new FeatureSubset(0));
        Assert.ThrowsExactly<ArgumentException>(() => TableViews.Compose());
    }
}
