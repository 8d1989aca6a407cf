using Microsoft.ML;
using Ssl.FreshProcess;

namespace Ssl.Estimators.Tests.Downstream;

/// <summary>What ends a process in the middle of a write, and what damages a file.</summary>
[TestClass]
public sealed class IndexCrashTests
{
    private readonly MLContext _mlContext = TestDevice.Context(1);
    private readonly IndexFolder _folder = new();

    [TestCleanup]
    public void DeleteFolder() => _folder.Dispose();

    [TestMethod]
    public void A_process_that_is_killed_leaves_all_changes_that_had_returned() => KillProcesses(3);

    [TestMethod]
    [TestCategory("Long")]
    public void Many_processes_that_are_killed_leave_all_changes_that_had_returned() => KillProcesses(40);

    private void KillProcesses(int rounds)
    {
        var random = new Random(1);
        NeighborIndex<long>.Create(_mlContext, _folder.File(), IndexTasks.Dimension, NeighborSearch.Exact, null).Dispose();
        var (changes, unreturned) = (0, 0);
        for (var round = 0; round < rounds; round++)
        {
            using var process = ChildProcess.Start("index-changes", [_folder.File(), $"{changes}"]);
            var errors = process.StandardError.ReadToEndAsync();
            // Killed while it writes: some changes after the first word from it, at a moment of its own.
            var returned = changes;
            var most = random.Next(1, 40);
            while (process.StandardOutput.ReadLine() is { } line)
            {
                returned = int.Parse(line);
                if (returned >= changes + most)
                    break;
            }
            Thread.Sleep(random.Next(3));
            process.Kill();
            while (process.StandardOutput.ReadLine() is { } line)
                returned = int.Parse(line);
            process.WaitForExit();
            Assert.IsGreaterThan(changes, returned, $"The process did not come as far as to write: {errors.Result}");

            using var index = NeighborIndex<long>.Open(_mlContext, _folder.File(), readOnly: false);
            index.Verify();
            // All that had returned, and of the next one all or nothing.
            var expected = IndexTasks.After(returned);
            if (!Same(index, expected))
            {
                Assert.IsTrue(Same(index, IndexTasks.After(++returned)), $"round {round}: neither after {returned - 1} changes nor after {returned}");
                unreturned++;
            }
            changes = returned;
        }
        Console.WriteLine($"{changes} changes; {unreturned} of {rounds} processes were killed after a change was complete and before it returned");
    }

    [TestMethod]
    public void A_file_that_ends_in_the_middle_of_a_block_opens_as_it_was_before()
    {
        using (var index = NeighborIndex<string>.Create(_mlContext, _folder.File(), 3, NeighborSearch.Exact, null))
            index.Upsert("first", [1, 0, 0]);
        var before = File.ReadAllBytes(_folder.File());
        using (var index = NeighborIndex<string>.Open(_mlContext, _folder.File(), readOnly: false))
            index.Upsert("second", [0, 1, 0]);
        var after = File.ReadAllBytes(_folder.File());
        for (var length = before.Length; length <= after.Length; length += length < after.Length - 9 ? 9 : 1)
        {
            // The page still says that the file ends before the block.
            byte[] torn = [.. before[..4096], .. after[4096..length]];
            AssertOpens(torn, length == after.Length ? ["first", "second"] : ["first"]);
            // The file had grown already, and what was not written is zero.
            AssertOpens([.. torn, .. new byte[5000]], length == after.Length || after[length..].All(value => value == 0) ? ["first", "second"] : ["first"]);
        }
    }

    [TestMethod]
    public void A_damaged_byte_is_refused_by_name_or_changes_nothing()
    {
        using (var index = NeighborIndex<string>.Create(_mlContext, _folder.File(), 5, NeighborSearch.Exact, null))
        {
            foreach (var (i, vector) in IndexVectors.Clustered(40, 5, 3, 1).Index())
                index.Upsert($"row {i % 30}", vector);
            index.Remove("row 3");
        }
        var whole = File.ReadAllBytes(_folder.File());
        string[] names = [.. Enumerable.Range(0, 30).Where(i => i != 3).Select(i => $"row {i}")];
        // The description and all blocks count; of the two ends the other one is there, and the rest of the first page is not used.
        foreach (var place in Enumerable.Range(0, whole.Length).Where(i => i < 64 || i is >= 512 and < 544 or >= 1024 and < 1056 || i % 97 == 0))
        {
            var damaged = (byte[])whole.Clone();
            damaged[place] ^= (byte)(1 << place % 8);
            File.WriteAllBytes(_folder.File("damaged"), damaged);
            if (place is < 64 or >= 4096)
            {
                StringAssert.Contains(Assert.ThrowsExactly<FormatException>(Read, $"byte {place}").Message, $"'{_folder.File("damaged")}' is ");
                continue;
            }
            CollectionAssert.AreEquivalent(names, Read(), $"byte {place}");
        }

        string[] Read()
        {
            using var index = NeighborIndex<string>.Open(_mlContext, _folder.File("damaged"), readOnly: true);
            index.Verify();
            return [.. index.Search([1, 1, 1, 1, 1], 100).Select(row => row.Id)];
        }
    }

    [TestMethod]
    public void Every_byte_of_a_block_is_covered()
    {
        using (var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), 18, NeighborSearch.Exact, null))
        {
            index.Upsert(1, IndexVectors.Draw(new Random(1), 18));
            index.Upsert(2, IndexVectors.Draw(new Random(2), 18));
        }
        var whole = File.ReadAllBytes(_folder.File());
        for (var place = 4096; place < whole.Length; place++)
        {
            var damaged = (byte[])whole.Clone();
            damaged[place] ^= 0x10;
            File.WriteAllBytes(_folder.File("damaged"), damaged);
            var fault = Assert.ThrowsExactly<FormatException>(() =>
            {
                using var index = NeighborIndex<long>.Open(_mlContext, _folder.File("damaged"), readOnly: true);
                index.Search(IndexVectors.Draw(new Random(3), 18));
            }, $"byte {place}");
            StringAssert.Contains(fault.Message, $"'{_folder.File("damaged")}' is damaged");
        }
        foreach (var length in (int[])[0, 1, 15, 16, 100, 4095, 4096, whole.Length - 1])
        {
            File.WriteAllBytes(_folder.File("damaged"), whole[..length]);
            StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => NeighborIndex<long>.Open(_mlContext, _folder.File("damaged"), false)).Message,
                $"'{_folder.File("damaged")}' is ");
        }
        File.WriteAllText(_folder.File("damaged"), "something else, and longer than the mark of an index file");
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => NeighborIndex<long>.Open(_mlContext, _folder.File("damaged"), false)).Message,
            "is no index file");
    }

    [TestMethod]
    public void Damaged_vectors_are_noticed_when_they_are_read_and_not_before()
    {
        const int Dimension = 256;
        using (var index = NeighborIndex<long>.Create(_mlContext, _folder.File(), Dimension, NeighborSearch.Exact, null))
        {
            foreach (var (i, vector) in IndexVectors.Clustered(500, Dimension, 3, 1).Index())
                index.Upsert(i, vector);
            index.Compact();
        }
        using (var file = new FileStream(_folder.File(), FileMode.Open))
        {
            file.Position = file.Length - 100;
            file.WriteByte(77);
        }
        using (var index = NeighborIndex<long>.Open(_mlContext, _folder.File(), readOnly: false))
        {
            Assert.AreEqual(500, index.Count);
            foreach (var action in (Action[])[() => index.Search(new float[Dimension].Select((_, i) => 1f + i).ToArray()), index.Verify, () => index.Compact()])
                StringAssert.Contains(Assert.ThrowsExactly<FormatException>(action).Message, $"'{_folder.File()}' is damaged");
        }
        CollectionAssert.AreEqual(new[] { "rows.index" }, _folder.Names);
    }

    private void AssertOpens(byte[] bytes, string[] names)
    {
        File.WriteAllBytes(_folder.File("torn"), bytes);
        using (var index = NeighborIndex<string>.Open(_mlContext, _folder.File("torn"), readOnly: true))
            CollectionAssert.AreEqual(names, index.Search([2, 1, 0]).Select(row => row.Id).ToArray());
        // It goes on from there.
        using (var index = NeighborIndex<string>.Open(_mlContext, _folder.File("torn"), readOnly: false))
            index.Upsert("third", [0, 0, 1]);
        using (var index = NeighborIndex<string>.Open(_mlContext, _folder.File("torn"), readOnly: true))
            CollectionAssert.AreEqual((string[])[.. names, "third"], index.Search([3, 2, 1]).Select(row => row.Id).ToArray());
    }

    private static bool Same(NeighborIndex<long> index, Dictionary<long, float[]> expected)
    {
        if (index.Count != expected.Count)
            return false;
        return expected.All(row => index.Contains(row.Key))
            && expected.Take(50).All(row => index.Search(row.Value, 1)[0] is var nearest && nearest.Id == row.Key && nearest.Score > .99999f);
    }
}
