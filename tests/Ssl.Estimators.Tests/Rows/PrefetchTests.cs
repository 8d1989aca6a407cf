using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Tests.Rows;

[TestClass]
public sealed class PrefetchTests
{
    [TestMethod]
    public void Items_come_in_order_and_are_made_on_another_thread()
    {
        var threads = new HashSet<int>();
        var items = Prefetch.Run(Source(), 2, _ => { }, CancellationToken.None).ToList();
        CollectionAssert.AreEqual(Enumerable.Range(0, 200).ToList(), items);
        Assert.IsFalse(threads.Contains(Environment.CurrentManagedThreadId));

        IEnumerable<int> Source()
        {
            for (var i = 0; i < 200; i++)
            {
                threads.Add(Environment.CurrentManagedThreadId);
                yield return i;
            }
        }
    }

    [TestMethod]
    public void No_more_than_asked_is_prepared_ahead()
    {
        var made = 0;
        using var items = Prefetch.Run(Source(), 2, _ => { }, CancellationToken.None).GetEnumerator();
        Assert.IsTrue(items.MoveNext());
        Thread.Sleep(100);
        Assert.IsLessThanOrEqualTo(4, Volatile.Read(ref made), "one taken, two waiting, one in hand");

        IEnumerable<int> Source()
        {
            while (true)
                yield return Interlocked.Increment(ref made);
        }
    }

    [TestMethod]
    public void Leaving_early_discards_what_was_prepared_and_ends_the_source()
    {
        var (made, discarded, ended) = (0, 0, false);
        var taken = Prefetch.Run(Source(), 3, _ => Interlocked.Increment(ref discarded), CancellationToken.None).Take(5).Count();
        Assert.AreEqual(5, taken);
        Assert.IsTrue(ended);
        Assert.AreEqual(made - taken, discarded);

        IEnumerable<int> Source()
        {
            try
            {
                while (true)
                    yield return ++made;
            }
            finally
            {
                ended = true;
            }
        }
    }

    [TestMethod]
    public void An_error_of_the_source_reaches_the_consumer_after_the_items_before_it()
    {
        var seen = new List<int>();
        var error = Assert.ThrowsExactly<InvalidDataException>(() =>
        {
            foreach (var item in Prefetch.Run(Source(), 2, _ => { }, CancellationToken.None))
                seen.Add(item);
        });
        Assert.AreEqual("row 3", error.Message);
        CollectionAssert.AreEqual(new[] { 1, 2 }, seen);

        static IEnumerable<int> Source()
        {
            yield return 1;
            yield return 2;
            throw new InvalidDataException("row 3");
        }
    }

    [TestMethod]
    public void Canceling_ends_the_enumeration()
    {
        using var source = new CancellationTokenSource();
        var taken = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var _ in Prefetch.Run(Enumerable.Repeat(1, int.MaxValue), 2, _ => { }, source.Token))
            {
                if (++taken == 10)
                    source.Cancel();
                source.Token.ThrowIfCancellationRequested();
            }
        });
        Assert.AreEqual(10, taken);
    }
}
