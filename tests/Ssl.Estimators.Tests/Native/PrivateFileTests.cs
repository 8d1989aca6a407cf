using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Ssl.Estimators.Native;

namespace Ssl.Estimators.Tests.Native;

/// <summary>What another user could have put there is never used.</summary>
[TestClass]
[OSCondition(OperatingSystems.Linux)]
[SupportedOSPlatform("linux")]
public sealed class PrivateFileTests
{
    private const uint SomebodyElse = 54321;

    private static readonly byte[] s_content = [1, 2, 3, 4, 5];

    private readonly string _root = Directory.CreateTempSubdirectory("ssl-private-").FullName;

    private string Folder => Path.Combine(_root, "cache", "ssl-mlnet", "version");

    private string Target => Path.Combine(Folder, "library.so");

    [TestCleanup]
    public void Clean() => Directory.Delete(_root, recursive: true);

    [TestMethod]
    public void The_file_is_the_users_alone_and_nothing_else_is_left()
    {
        Assert.AreEqual(Target, Put());
        CollectionAssert.AreEqual(s_content, File.ReadAllBytes(Target));
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Assert.AreEqual(owner, File.GetUnixFileMode(Folder));
        Assert.AreEqual(owner, File.GetUnixFileMode(Path.Combine(_root, "cache")));
        Assert.AreEqual(owner, File.GetUnixFileMode(Target));
        Assert.HasCount(1, Directory.GetFileSystemEntries(Folder));
    }

    [TestMethod]
    public void A_good_file_stays_as_it_is()
    {
        Put();
        File.SetLastWriteTimeUtc(Target, DateTime.UnixEpoch);
        Assert.AreEqual(Target, Put());
        Assert.AreEqual(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(Target));
    }

    [TestMethod]
    [DataRow("cut off")]
    [DataRow("one bit")]
    [DataRow("longer")]
    public void A_damaged_file_is_replaced(string damage)
    {
        Put();
        File.WriteAllBytes(Target, damage switch { "cut off" => [1, 2], "one bit" => [1, 2, 3, 4, 4], _ => [1, 2, 3, 4, 5, 6] });
        Assert.IsFalse(PrivateFile.Holds(Target, s_content));
        Assert.AreEqual(Target, Put());
        CollectionAssert.AreEqual(s_content, File.ReadAllBytes(Target));
    }

    [TestMethod]
    public void A_link_is_not_followed_but_replaced()
    {
        Put();
        var elsewhere = Path.Combine(_root, "elsewhere.so");
        File.Move(Target, elsewhere);
        File.CreateSymbolicLink(Target, elsewhere);
        Assert.IsFalse(PrivateFile.Holds(Target, s_content));
        Assert.AreEqual(Target, Put());
        Assert.IsNull(new FileInfo(Target).LinkTarget);
    }

    [TestMethod]
    [DataRow(UnixFileMode.GroupWrite)]
    [DataRow(UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_write_to_is_replaced(UnixFileMode right)
    {
        Put();
        File.SetUnixFileMode(Target, File.GetUnixFileMode(Target) | right);
        Assert.IsFalse(PrivateFile.Holds(Target, s_content));
        Assert.AreEqual(Target, Put());
        Assert.IsTrue(PrivateFile.Holds(Target, s_content));
    }

    [TestMethod]
    [DataRow(UnixFileMode.GroupWrite)]
    [DataRow(UnixFileMode.OtherWrite)]
    public void A_folder_that_others_may_write_to_is_not_used(UnixFileMode right)
    {
        Put();
        File.SetUnixFileMode(Folder, File.GetUnixFileMode(Folder) | right);
        Assert.IsNull(Put());
    }

    [TestMethod]
    public void A_folder_above_that_others_may_write_to_is_not_used_unless_they_may_not_rename_in_it()
    {
        Put();
        var above = Path.Combine(_root, "cache");
        const UnixFileMode all = (UnixFileMode)0b111_111_111;
        File.SetUnixFileMode(above, all);
        Assert.IsNull(Put());
        File.SetUnixFileMode(above, all | UnixFileMode.StickyBit);
        Assert.AreEqual(Target, Put());
    }

    [TestMethod]
    public void A_link_to_a_folder_above_is_resolved()
    {
        var link = Path.Combine(_root, "link");
        Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateSymbolicLink(link, Path.GetDirectoryName(Folder)!);
        Assert.AreEqual(Target, PrivateFile.TryPut(Path.Combine(link, "version"), "library.so", s_content));
    }

    [TestMethod]
    public void What_belongs_to_another_user_is_not_used()
    {
        Put();
        GiveAway(Target);
        Assert.IsFalse(PrivateFile.Holds(Target, s_content));
        Assert.AreEqual(Target, Put());
        Assert.IsTrue(PrivateFile.Holds(Target, s_content));
        GiveAway(Folder);
        Assert.IsNull(Put());
    }

    [TestMethod]
    public void A_folder_above_that_belongs_to_another_user_is_not_used()
    {
        Put();
        GiveAway(Path.Combine(_root, "cache"));
        Assert.IsNull(Put());
    }

    [TestMethod]
    public void A_folder_that_cannot_be_made_is_not_used()
    {
        var file = Path.Combine(_root, "file");
        File.WriteAllText(file, "");
        Assert.IsNull(PrivateFile.TryPut(Path.Combine(file, "below"), "library.so", s_content));
        Assert.IsNull(PrivateFile.TryPut("/proc/ssl-mlnet", "library.so", s_content));
    }

    [TestMethod]
    public void Many_at_once_agree()
    {
        var paths = Enumerable.Range(0, 32).AsParallel().WithDegreeOfParallelism(8).Select(_ => Put()).ToArray();
        Assert.IsTrue(paths.All(path => path == Target));
        Assert.HasCount(1, Directory.GetFileSystemEntries(Folder));
        Assert.IsTrue(PrivateFile.Holds(Target, s_content));
    }

    private string? Put() => PrivateFile.TryPut(Folder, "library.so", s_content);

    private static void GiveAway(string path)
    {
        if (chown(path, SomebodyElse, SomebodyElse) != 0)
            Assert.Inconclusive("Only root can give a file to another user.");
    }

    [DllImport("libc")]
    private static extern int chown([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint owner, uint group);
}
