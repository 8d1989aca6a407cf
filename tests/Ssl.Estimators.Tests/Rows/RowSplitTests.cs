using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Rows;

[TestClass]
public sealed class RowSplitTests
{
    [TestMethod]
    [DataRow(0.1)]
    [DataRow(0.5)]
    [DataRow(0.9)]
    public void About_the_fraction_is_held_out_wherever_one_looks(double fraction)
    {
        var split = new RowSplit(fraction, 7);
        for (var start = 0L; start < 1_000_000_000_000; start = start * 10 + 20_000)
        {
            var share = Enumerable.Range(0, 20_000).Count(i => split.IsHeldOut(start + i)) / 20_000.0;
            // Four standard deviations.
            Assert.AreEqual(fraction, share, 4 * Math.Sqrt(fraction * (1 - fraction) / 20_000), $"from row {start}");
        }
    }

    [TestMethod]
    public void The_seed_decides()
    {
        bool[] Rows(ulong seed) => [.. Enumerable.Range(0, 200).Select(row => new RowSplit(0.5, seed).IsHeldOut(row))];
        CollectionAssert.AreEqual(Rows(1), Rows(1));
        CollectionAssert.AreNotEqual(Rows(1), Rows(2));
    }

    [TestMethod]
    public void Counted_rows_are_divided_exactly_and_nearly_as_streamed_ones()
    {
        var split = new RowSplit(0.25, 3);
        double[] draws = [.. Enumerable.Range(0, 1000).Select(row => split.Draw(row))];
        var (training, heldOut) = split.Divide(draws);
        Assert.HasCount(250, heldOut);
        CollectionAssert.AreEqual(Enumerable.Range(0, 1000).ToArray(), training.Concat(heldOut).Order().ToArray());
        CollectionAssert.AreEqual(training.Order().ToArray(), training, "training rows stay in their order");
        CollectionAssert.AreNotEqual(heldOut.Order().ToArray(), heldOut, "a sorted file would make batches of one class");
        var otherwise = heldOut.Count(row => !split.IsHeldOut(row)) + training.Count(row => split.IsHeldOut(row));
        Assert.IsLessThan(60, otherwise);
    }

    [TestMethod]
    [DataRow(0, 100, 1, "ValidationFraction 0.25 leaves 0 rows to train on, and the method needs at least 1. Lower it")]
    [DataRow(10, 0, 1, "leaves 0 rows to validate on, and the method needs at least 1. Raise it")]
    [DataRow(10, 1, 2, "leaves 1 rows to validate on, and the method needs at least 2. Raise it")]
    [DataRow(1, 10, 2, "leaves 1 rows to train on, and the method needs at least 2. Lower it")]
    public void Too_few_rows_are_refused_with_a_sentence(int training, int heldOut, int minimum, string words)
    {
        var split = new RowSplit(0.25, 1);
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => split.Require(training, heldOut, minimum));
        StringAssert.Contains(fault.Message, words);
    }

    [TestMethod]
    [DataRow(1, 8, "1")]
    [DataRow(8, 8, "8")]
    [DataRow(9, 8, "4 5")]
    [DataRow(100, 32, "25 25 25 25")]
    [DataRow(0, 8, "")]
    public void Even_batches_have_nearly_the_same_size(int rows, int batchSize, string sizes)
    {
        int[] order = [.. Enumerable.Range(0, rows)];
        var batches = BatchOrder.Even(order, batchSize).ToArray();
        Assert.AreEqual(sizes, string.Join(' ', batches.Select(batch => batch.Count)));
        CollectionAssert.AreEqual(order, batches.SelectMany(batch => batch).ToArray());
    }
}
