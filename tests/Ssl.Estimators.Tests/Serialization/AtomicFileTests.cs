using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Tests.Serialization;

[TestClass]
public class AtomicFileTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-atomic-").FullName;

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void Writes_and_replaces()
    {
        var path = Path.Combine(_folder, "model.bin");
        AtomicFile.Write(path, stream => stream.Write([1, 2, 3]));
        AtomicFile.Write(path, stream => stream.Write([4]));
        CollectionAssert.AreEqual(new byte[] { 4 }, File.ReadAllBytes(path));
        Assert.HasCount(1, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void A_failure_leaves_the_old_file_and_nothing_else()
    {
        var path = Path.Combine(_folder, "model.bin");
        File.WriteAllText(path, "old");
        Assert.ThrowsExactly<InvalidOperationException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[1000]);
            throw new InvalidOperationException("in the middle");
        }));
        Assert.AreEqual("old", File.ReadAllText(path));
        Assert.HasCount(1, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void A_folder_that_does_not_exist_is_named_and_nothing_is_left()
    {
        var path = Path.Combine(_folder, "missing", "model.bin");
        var written = false;
        var e = Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, _ => written = true));
        StringAssert.Contains(e.Message, path);
        StringAssert.Contains(e.Message, "existing, writable folder");
        Assert.IsFalse(written);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder));
    }

    [TestMethod]
    public void A_path_that_is_a_folder_is_named_and_nothing_is_left()
    {
        var path = Path.Combine(_folder, "taken");
        Directory.CreateDirectory(path);
        var e = Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, stream => stream.WriteByte(1)));
        StringAssert.Contains(e.Message, path);
        Assert.IsEmpty(Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void Whether_a_path_can_be_written_is_found_out_without_a_trace()
    {
        var path = Path.Combine(_folder, "model.bin");
        AtomicFile.RequireWritable(path);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder));
        File.WriteAllText(path, "old");
        AtomicFile.RequireWritable(path);
        Assert.AreEqual("old", File.ReadAllText(path));
        Directory.CreateDirectory(Path.Combine(_folder, "taken"));
        foreach (var wrong in new[] { Path.Combine(_folder, "missing", "model.bin"), Path.Combine(_folder, "taken"), Path.Combine(path, "model.bin") })
        {
            var e = Assert.ThrowsExactly<IOException>(() => AtomicFile.RequireWritable(wrong));
            StringAssert.StartsWith(e.Message, $"Cannot write '{wrong}': ");
        }
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void What_a_killed_process_left_is_deleted_and_nothing_else(bool asks)
    {
        var path = Path.Combine(_folder, "model.bin");
        var left = $"{path}.{Guid.NewGuid():N}.tmp";
        string[] others = [$"{path}.notes.tmp", $"{path}.{Guid.NewGuid():N}", Path.Combine(_folder, $"other.{Guid.NewGuid():N}.tmp"), $"{path}.{Guid.NewGuid():N}.tmp"];
        foreach (var file in (string[])[left, .. others])
            File.WriteAllText(file, "something");
        // Another process that writes just now.
        using (File.Open(others[^1], FileMode.Open, FileAccess.Write, FileShare.None))
        {
            if (asks)
                AtomicFile.RequireWritable(path);
            else
                AtomicFile.Write(path, stream => stream.WriteByte(1));
        }
        CollectionAssert.AreEquivalent(asks ? others : [.. others, path], Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void A_full_disk_is_named_and_nothing_is_left()
    {
        var path = Path.Combine(_folder, "model.bin");
        var e = Assert.ThrowsExactly<IOException>(() => AtomicFile.Write(path, _ => throw new IOException("No space left on device")));
        Assert.AreEqual($"Cannot write '{path}': No space left on device. Choose a file name in an existing, writable folder with space left.",
            e.Message);
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder));
    }
}
