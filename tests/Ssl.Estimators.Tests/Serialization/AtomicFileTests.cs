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
}
