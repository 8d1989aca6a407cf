using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Rows;

[TestClass]
public sealed class BatchOrderTests
{
    [TestMethod]
    [DataRow(100, 16, false)]
    [DataRow(100, 16, true)]
    [DataRow(96, 16, true)]
    [DataRow(5, 16, true)]
    [DataRow(1, 16, false)]
    [DataRow(0, 16, false)]
    public void Every_row_comes_once_but_for_a_dropped_rest(int rows, int batchSize, bool dropLast)
    {
        foreach (var grouped in new[] { false, true })
        {
            var random = new Random(3);
            var batches = BatchOrder.Cut(BatchOrder.Shuffled(rows, random), batchSize, dropLast, grouped ? i => i % 7 : null, random)
                .Select(b => b.ToArray()).ToList();
            var seen = batches.SelectMany(b => b).ToList();
            CollectionAssert.AllItemsAreUnique(seen);
            var expected = dropLast && rows > batchSize ? rows / batchSize * batchSize : rows;
            Assert.AreEqual(expected, seen.Count);
            Assert.AreEqual(BatchOrder.Count(rows, batchSize, dropLast), batches.Count);
            Assert.IsTrue(batches.All(b => b.Length <= batchSize));
        }
    }

    [TestMethod]
    [DataRow(1_000, 16, 5, 5, 16)]
    [DataRow(1_000, 16, 100, 62, 16)]
    [DataRow(40, 16, 100, 2, 16)]
    [DataRow(5, 16, 100, 1, 5)]
    [DataRow(0, 16, 100, 0, 0)]
    public void A_sample_comes_from_all_over_the_rows(int rows, int batchSize, int most, int batches, int size)
    {
        var order = Enumerable.Range(0, rows).Select(row => 3 * row).ToArray();
        var sample = BatchOrder.Spread(order, batchSize, most).ToArray();
        Assert.HasCount(batches, sample);
        CollectionAssert.AllItemsAreUnique(sample.SelectMany(batch => batch).ToArray());
        foreach (var batch in sample)
        {
            Assert.HasCount(size, batch);
            var halves = batch.Count(row => row < 3 * rows / 2);
            Assert.IsLessThanOrEqualTo(1, Math.Abs(2 * halves - size), "as many from the first half as from the second");
        }
    }

    [TestMethod]
    public void Grouping_puts_rows_of_similar_length_together()
    {
        var random = new Random(1);
        var lengths = Enumerable.Range(0, 4_000).Select(_ => random.Next(1, 65)).ToArray();
        var padded = Padding(i => lengths[i]);
        var unsorted = Padding(null);
        Assert.IsLessThan(0.1 * unsorted, padded, "padding with grouping against without");

        double Padding(Func<int, int>? length)
        {
            var order = BatchOrder.Shuffled(lengths.Length, random);
            return BatchOrder.Cut(order, 64, dropLast: false, length, random)
                .Sum(b => (b.Max(i => lengths[i]) * b.Count) - b.Sum(i => lengths[i]));
        }
    }

    [TestMethod]
    public void Two_epochs_have_different_orders_and_the_same_seed_the_same()
    {
        var random = new Random(1);
        var first = BatchOrder.Shuffled(50, random);
        var second = BatchOrder.Shuffled(50, random);
        CollectionAssert.AreNotEqual(first, second);
        CollectionAssert.AreEqual(first, BatchOrder.Shuffled(50, new Random(1)));
    }

    [TestMethod]
    public void ABatchSizeBeyondAllRowsMakesOneBatch()
    {
        int[] order = [3, 1, 2];
        Assert.HasCount(1, BatchOrder.Cut([.. order], int.MaxValue, dropLast: false, null, new Random(1)));
        Assert.HasCount(1, BatchOrder.Cut([.. order], int.MaxValue, dropLast: true, i => i, new Random(1)));
        Assert.HasCount(1, BatchOrder.Even(order, int.MaxValue));
        Assert.HasCount(1, BatchOrder.Spread(order, int.MaxValue, 5));
        Assert.AreEqual(1, BatchOrder.Count(3, int.MaxValue, dropLast: false));
    }

    [TestMethod]
    [DataRow(new[] { 1, 1, 1, 1 }, 100, 1, "1 1 1 1")]
    [DataRow(new[] { 1, 1, 1, 1 }, 2, 1, "1 1|1 1")]
    [DataRow(new[] { 1, 1, 1, 90 }, 8, 1, "1 1 1|90")]
    [DataRow(new[] { 1, 1, 1, 90 }, 8, 2, "1 1|1 90")]
    [DataRow(new[] { 1, 90, 1, 1 }, 8, 1, "1|90|1 1")]
    [DataRow(new[] { 50, 60, 70 }, 8, 2, "50 60 70")]
    [DataRow(new[] { 50, 60, 70, 80 }, 8, 2, "50 60|70 80")]
    [DataRow(new[] { 90 }, 8, 2, "90")]
    public void BatchesArePaddedUpToALimit(int[] lengths, int limit, int least, string expected)
    {
        int[] rows = [9, .. Enumerable.Range(0, lengths.Length)];
        var parts = BatchOrder.Bounded(new ArraySegment<int>(rows, 1, lengths.Length), row => lengths[row], limit, least).ToArray();
        Assert.AreEqual(expected, string.Join('|', parts.Select(part => string.Join(' ', part.Select(row => lengths[row])))));
        CollectionAssert.AreEqual(rows[1..], parts.SelectMany(part => part).ToArray());
    }
}
