using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.MLNet.Data;

namespace Ssl.MLNet.Tests.Data;

/// <summary>Rows of asynchronous sources: streamed or kept, no further than asked for, ended and canceled.</summary>
[TestClass]
public sealed class AsyncEnumerableTests
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);

    private readonly MLContext _mlContext = TestDevice.Context(1);
    private int _asked, _given, _ended;

    private SelfSupervisedCatalog.DataReaders Readers => _mlContext.SelfSupervised().Data;

    [TestMethod]
    public void A_function_is_asked_for_every_pass()
    {
        var view = Readers.LoadFromAsyncEnumerable(() => Source(1_000));
        Assert.AreEqual(0, _asked);
        for (var pass = 1; pass <= 3; pass++)
        {
            CollectionAssert.AreEqual(Enumerable.Range(0, 1_000).ToArray(), Numbers(view));
            Assert.AreEqual(pass, _asked);
            Assert.AreEqual(pass, _ended);
        }
    }

    [TestMethod]
    public void A_source_is_asked_once_and_kept()
    {
        var view = Readers.LoadFromAsyncEnumerable(Source(1_000));
        var half = view.GetColumn<int>("Number").Take(500).ToArray();
        Assert.HasCount(500, half);
        // Readers at once, of which the first to come to a row brings it.
        var passes = new int[8][];
        Parallel.For(0, passes.Length, i => passes[i] = Numbers(view));
        foreach (var pass in passes)
            CollectionAssert.AreEqual(Enumerable.Range(0, 1_000).ToArray(), pass);
        Assert.AreEqual((1, 1_000, 1), (_asked, _given, _ended));
    }

    [TestMethod]
    public void No_more_is_read_ahead_than_allowed()
    {
        foreach (var kept in new[] { false, true })
        {
            (_given, var source) = (0, Source(100_000));
            var view = kept ? Readers.LoadFromAsyncEnumerable(source, readAhead: 10) : Readers.LoadFromAsyncEnumerable(() => source, readAhead: 10);
            using var cursor = view.GetRowCursor(view.Schema);
            Assert.IsTrue(cursor.MoveNext());
            Thread.Sleep(100);
            Assert.IsLessThanOrEqualTo(13, _given, $"kept: {kept}");
        }
    }

    [TestMethod]
    public void A_cursor_that_ends_early_ends_the_source()
    {
        var view = Readers.LoadFromAsyncEnumerable(() => Source(int.MaxValue));
        using (var cursor = view.GetRowCursor(view.Schema))
        {
            for (var i = 0; i < 50; i++)
                Assert.IsTrue(cursor.MoveNext());
            Assert.AreEqual(0, _ended);
        }
        Assert.AreEqual(1, _ended);
        Assert.HasCount(3, _mlContext.Data.CreateEnumerable<Row>(_mlContext.Data.TakeRows(view, 3), reuseRowObject: false).ToArray());
        Assert.AreEqual(2, _ended);
    }

    [TestMethod]
    public void What_the_source_throws_comes_out_as_it_is()
    {
        foreach (var kept in new[] { false, true })
        {
            var view = kept ? Readers.LoadFromAsyncEnumerable(Source(1_000, fault: 700)) : Readers.LoadFromAsyncEnumerable(() => Source(1_000, fault: 700));
            for (var pass = 0; pass < 2; pass++)
            {
                var read = 0;
                var fault = Assert.ThrowsExactly<TimeoutException>(() =>
                {
                    foreach (var _ in view.GetColumn<int>("Number"))
                        read++;
                });
                Assert.AreEqual("row 700", fault.Message);
                Assert.Contains(nameof(Source), fault.StackTrace!);
                Assert.AreEqual(700, read);
            }
        }
    }

    [TestMethod]
    public void Canceling_ends_a_pass_that_waits()
    {
        using var cancellation = new CancellationTokenSource();
        var view = Readers.LoadFromAsyncEnumerable(() => Source(5, thenWaits: true), cancellationToken: cancellation.Token);
        var read = new List<int>();
        cancellation.CancelAfter(TimeSpan.FromMilliseconds(200));
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var number in view.GetColumn<int>("Number"))
                read.Add(number);
        });
        Assert.HasCount(5, read);
        Assert.AreEqual(1, _ended);
        Assert.Throws<OperationCanceledException>(() => Numbers(view));
        Assert.AreEqual(1, _asked);
    }

    [TestMethod]
    [Timeout(60_000)]
    public void Canceling_ends_a_pass_whose_source_does_not_listen()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var rows = new AsyncRows<Row>(Deaf, readAhead: 1, cancellation.Token) { Patience = TimeSpan.FromMilliseconds(50) };
        Assert.Throws<OperationCanceledException>(() => rows.Count());

        static async IAsyncEnumerable<Row> Deaf()
        {
            yield return new Row();
            await Task.Delay(Timeout.Infinite);
        }
    }

    // As in a window: the thread that reads is the one to which the awaits of the source would come back.
    [TestMethod]
    public void A_context_of_one_thread_is_not_waited_for()
    {
        var done = new ManualResetEventSlim();
        int[] numbers = [];
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new NeverContext());
            numbers = Numbers(Readers.LoadFromAsyncEnumerable(() => Source(300)));
            done.Set();
        }) { IsBackground = true };
        thread.Start();
        Assert.IsTrue(done.Wait(s_longest), "The pass waits for its own thread.");
        Assert.HasCount(300, numbers);
    }

    // More readers than the pool has threads, on threads of the pool.
    [TestMethod]
    public void Readers_that_fill_the_thread_pool_come_to_their_end()
    {
        var view = Readers.LoadFromAsyncEnumerable(() => Source(200));
        var passes = Enumerable.Range(0, 4 * Environment.ProcessorCount).Select(_ => Task.Run(() => Numbers(view).Length)).ToArray();
        Assert.IsTrue(Task.WaitAll(passes, s_longest));
        Assert.IsTrue(passes.All(pass => pass.Result == 200));
    }

    [TestMethod]
    public void Encoders_learn_from_them()
    {
        var ssl = _mlContext.SelfSupervised();
        var expected = Embeddings(_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new Row { Number = i, Text = Text(i) }).ToArray()));
        Assert.AreEqual(expected, Embeddings(Readers.LoadFromAsyncEnumerable(() => Source(64))));
        Assert.AreEqual(expected, Embeddings(Readers.LoadFromAsyncEnumerable(Source(64))));

        string Embeddings(IDataView rows)
        {
            using var encoder = ssl.Text.SimCse(new() { NumberOfEpochs = 1, BatchSize = 16, Seed = 1 }).Fit(rows);
            return string.Join(' ', encoder.Transform(rows).GetColumn<float[]>("Features").SelectMany(row => row.Take(2)));
        }
    }

    [TestMethod]
    public void Settings_are_checked_at_once()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Readers.LoadFromAsyncEnumerable(Source(1), readAhead: 0));
        Assert.Contains("readAhead must be at least 1, got 0.", fault.Message);
    }

    private static int[] Numbers(IDataView view) => [.. view.GetColumn<int>("Number")];

    private static string Text(int i) => $"the text of number {i} is {(i % 2 == 0 ? "even" : "odd")}";

    private async IAsyncEnumerable<Row> Source(int count, int fault = -1, bool thenWaits = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _asked);
        try
        {
            for (var i = 0; i < count; i++)
            {
                if (i % 100 == 99)
                    await Task.Yield();
                if (i == fault)
                    throw new TimeoutException($"row {i}");
                cancellationToken.ThrowIfCancellationRequested();
                Interlocked.Increment(ref _given);
                yield return new Row { Number = i, Text = Text(i) };
            }
            if (thenWaits)
                await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            Interlocked.Increment(ref _ended);
        }
    }

    private sealed class Row
    {
        public int Number { get; set; }

        public string Text { get; set; } = "";
    }

    /// <summary>A context whose thread never comes to what is posted.</summary>
    private sealed class NeverContext : SynchronizationContext
    {
        private readonly ConcurrentQueue<SendOrPostCallback> _posted = [];

        public override void Post(SendOrPostCallback d, object? state) => _posted.Enqueue(d);
    }
}
