using Microsoft.ML;

namespace Ssl.Estimators.Tests.Downstream;

/// <summary>Threads that search while one adds, removes and compacts.</summary>
[TestClass]
public sealed class IndexThreadTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly IndexFolder _folder = new();

    [TestCleanup]
    public void DeleteFolder() => _folder.Dispose();

    [TestMethod]
    public void A_search_sees_all_of_a_change_or_nothing()
    {
        const int Dimension = 24, Rows = 300;
        using var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), Dimension, NeighborSearch.Exact, null);
        // Each change gives all rows the same first number; a search that finds two numbers has seen half of one.
        var vectors = IndexVectors.Clustered(Rows, Dimension, 10, 1);
        Change(0);
        var (stop, searches, changes) = (false, 0, 0);
        var faults = new List<string>();
        Thread[] readers = [.. Enumerable.Range(0, 3).Select(number => new Thread(() =>
        {
            var random = new Random(number);
            try
            {
                while (!Volatile.Read(ref stop))
                {
                    var found = index.Search(vectors[random.Next(Rows)], Rows + 5);
                    var ids = found.Select(row => row.Id % Rows).ToHashSet();
                    var ages = found.Select(row => row.Id / Rows).Distinct().ToArray();
                    if (found.Count != Rows || ids.Count != Rows || ages.Length != 1)
                        throw new InvalidOperationException($"{found.Count} rows, {ids.Count} of them different, of changes {string.Join(", ", ages)}");
                    Interlocked.Increment(ref searches);
                }
            }
            catch (Exception fault)
            {
                lock (faults)
                    faults.Add(fault.ToString());
            }
        }))];
        foreach (var reader in readers)
            reader.Start();
        var end = DateTime.UtcNow.AddSeconds(3);
        while (DateTime.UtcNow < end && faults.Count == 0)
        {
            Change(++changes);
            if (changes % 7 == 0)
                index.Compact();
        }
        Volatile.Write(ref stop, true);
        foreach (var reader in readers)
            reader.Join();
        Assert.IsEmpty(faults, string.Join("\n", faults));
        Assert.IsGreaterThan(20, searches);
        Assert.IsGreaterThan(7, changes);
        Console.WriteLine($"{searches} searches, {changes} changes");

        // The rows of the change before go in the same step as those of the next come: by their ids, which a block of its own removes.
        void Change(long change)
        {
            var rows = vectors.Select((vector, i) => (change * Rows + i, vector)).ToArray();
            index.Replace(Enumerable.Range(0, change == 0 ? 0 : Rows).Select(i => (change - 1) * Rows + i), rows);
        }
    }

    [TestMethod]
    public void A_search_that_runs_while_it_is_disposed_of_ends_or_says_so()
    {
        for (var round = 0; round < 5; round++)
        {
            var path = _folder.File($"{round}");
            var index = NeighborIndex<long>.Create(_mlContext, path, 8, NeighborSearch.Exact, null);
            foreach (var (i, vector) in IndexVectors.Clustered(200, 8, 5, 1).Index())
                if (i % 20 == round)
                    index.Upsert(i, vector);
            var readers = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(() =>
            {
                try
                {
                    while (true)
                        Assert.HasCount(10, index.Search([1, 2, 3, 4, 5, 6, 7, 8]));
                }
                catch (ObjectDisposedException fault)
                {
                    return fault.Message;
                }
            }, TaskCreationOptions.LongRunning)).ToArray();
            Thread.Sleep(30);
            index.Dispose();
            foreach (var reader in readers)
                StringAssert.Contains(reader.Result, "NeighborIndex was disposed of");
            // Closed once the last has left.
            NeighborIndex<long>.Open(_mlContext, path, readOnly: false).Dispose();
        }
    }
}
