using Ssl.Estimators.Data;
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
}
