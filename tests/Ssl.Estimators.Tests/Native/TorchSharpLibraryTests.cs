using System.Runtime.Versioning;
using Ssl.Estimators.Native;

namespace Ssl.Estimators.Tests.Native;

/// <summary>TorchSharp's library in processes that have done nothing else, with a folder of their own for the mended copy.</summary>
[TestClass]
[TestCategory("Checkout")]
[OSCondition(OperatingSystems.Linux)]
[SupportedOSPlatform("linux")]
public sealed class TorchSharpLibraryTests
{
    private const string FileName = "libLibTorchSharp.so";

    private readonly string _root = Directory.CreateTempSubdirectory("ssl-library-").FullName;

    private string Cache => Path.Combine(_root, "cache");

    [TestCleanup]
    public void Clean() => Directory.Delete(_root, recursive: true);

    [TestMethod]
    public void In_an_empty_folder_a_copy_is_made_and_used_again()
    {
        RequireMend();
        var first = Load();
        StringAssert.Contains(first, "sum: 3");
        StringAssert.Contains(first, $"Loaded a copy without that: {Copy()} (SSL_MEND_TORCHSHARP=0 turns this off).");
        File.SetLastWriteTimeUtc(Copy(), DateTime.UnixEpoch);
        StringAssert.Contains(Load(), "sum: 3");
        Assert.AreEqual(DateTime.UnixEpoch, File.GetLastWriteTimeUtc(Copy()), "a good copy was written again");
    }

    [TestMethod]
    [DataRow("cut off")]
    [DataRow("flipped")]
    public void A_damaged_copy_is_replaced_before_it_is_loaded(string damage)
    {
        RequireMend();
        Load();
        var good = File.ReadAllBytes(Copy());
        var bad = (byte[])good.Clone();
        bad[bad.Length / 2] ^= 1;
        File.WriteAllBytes(Copy(), damage == "cut off" ? good[..(good.Length / 2)] : bad);
        StringAssert.Contains(Load(), "sum: 3");
        CollectionAssert.AreEqual(good, File.ReadAllBytes(Copy()));
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(8)]
    public void Processes_that_start_at_once_share_one_copy(int count)
    {
        RequireMend();
        var children = Enumerable.Range(0, count).Select(_ => ChildProcess.Start("library", environment: Variables(Cache))).ToArray();
        foreach (var child in children)
            StringAssert.Contains(ChildProcess.Finish(child), "sum: 3");
        Assert.HasCount(1, Directory.GetFiles(Cache, "*", SearchOption.AllDirectories));
        Assert.AreEqual(FileName, Path.GetFileName(Copy()));
    }

    [TestMethod]
    public void Where_the_folder_cannot_be_written_to_a_temporary_one_serves_and_is_removed()
    {
        RequireMend();
        var temporary = Directory.CreateDirectory(Path.Combine(_root, "tmp")).FullName;
        var output = ChildProcess.Run("library", environment: [.. Variables("/proc/nowhere"), new("TMPDIR", temporary)]);
        StringAssert.Contains(output, "sum: 3");
        StringAssert.Contains(output, $"in {temporary}/ that is removed already");
        Assert.IsEmpty(Directory.GetFileSystemEntries(temporary, "ssl-mlnet-*"));
    }

    [TestMethod]
    public void Where_no_folder_can_be_used_the_sentence_names_them()
    {
        RequireMend();
        var open = Directory.CreateDirectory(Path.Combine(_root, "open")).FullName;
        File.SetUnixFileMode(open, (UnixFileMode)0b111_111_111);
        var output = ChildProcess.Run("library", environment: [.. Variables("/proc/nowhere"), new("TMPDIR", open)]);
        StringAssert.Contains(output, "InvalidOperationException: TorchSharp's native library (libtorch) could not be loaded: a mended");
        StringAssert.Contains(output, "/proc/nowhere");
        StringAssert.Contains(output, "XDG_CACHE_HOME, HOME or TMPDIR");
        Assert.IsEmpty(Directory.GetFileSystemEntries(open, "ssl-mlnet-*"));
    }

    [TestMethod]
    public void A_folder_without_leave_to_execute_is_passed_over()
    {
        RequireMend();
        const string shared = "/dev/shm";
        var isMounted = File.ReadLines("/proc/mounts").Any(line => line.Split(' ') is [_, shared, _, var options, ..] && options.Split(',').Contains("noexec"));
        var root = isMounted ? shared : Directory.CreateTempSubdirectory("ssl-noexec-").FullName;
        // Whoever may mount a file system makes such a folder.
        if (!isMounted && !Command("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", root))
        {
            Directory.Delete(root);
            Assert.Inconclusive($"{shared} is not mounted without leave to execute, and this user may not mount a file system that is.");
        }
        var folder = Path.Combine(root, $"ssl-{Guid.NewGuid():N}");
        try
        {
            var output = ChildProcess.Run("library", environment: Variables(folder));
            StringAssert.Contains(output, "sum: 3");
            StringAssert.Contains(output, "that is removed already");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
            if (!isMounted)
            {
                Command("umount", root);
                Directory.Delete(root);
            }
        }
    }

    // Whether a program of the system ends well; false where there is none.
    private static bool Command(string name, params string[] arguments)
    {
        try
        {
            using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(name, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [TestMethod]
    public void The_switch_turns_it_off_and_says_so()
    {
        RequireMend();
        var output = ChildProcess.Run("library", environment: [.. Variables(Cache), new(TorchSharpLibrary.Switch, "0")]);
        StringAssert.Contains(output, "SSL_MEND_TORCHSHARP=0 forbids to load a mended copy. Remove that variable.");
        StringAssert.Contains(output, "notice: none");
        Assert.IsFalse(Directory.Exists(Cache));
    }

    [TestMethod]
    public void Where_the_library_loads_as_it_is_nothing_happens()
    {
        // Mended for an older system than this one: loads wherever the tests run.
        var mend = VersionMend.Mend(File.ReadAllBytes(VersionMendTests.PackageFile), library => library == "libstdc++.so.6"
            ? ElfImage.TryRead(File.ReadAllBytes(VersionMendTests.PackageFile))!.Needs.Where(need => need.Library == library)
                .Select(need => need.Version).Except(["GLIBCXX_3.4.30", "GLIBCXX_3.4.32"]).ToHashSet() : null);
        Assert.HasCount(2, mend.Mended);
        var output = ChildProcess.Run("library", folder: Application(mend.Bytes!), environment: Variables(Cache));
        StringAssert.Contains(output, "sum: 3");
        StringAssert.Contains(output, "notice: none");
        Assert.IsFalse(Directory.Exists(Cache));
    }

    [TestMethod]
    [DataRow(FileName)]
    [DataRow("libtorch_cpu.so")]
    public void A_library_of_the_package_that_is_cut_off_is_named(string name)
    {
        var half = new byte[100_000];
        using (var file = File.OpenRead(Path.Combine(Path.GetDirectoryName(VersionMendTests.PackageFile)!, name)))
            file.ReadExactly(half);
        var output = ChildProcess.Run("library", folder: Application(half, name), environment: Variables(Cache));
        StringAssert.Contains(output, $"{name} is damaged: it is cut off or no library. Restore the packages again");
        Assert.IsFalse(Directory.Exists(Cache));
    }

    [TestMethod]
    [DataRow("torch-prepared")]
    [DataRow("front-door")]
    public void An_application_may_compute_before_the_pack_does(string task)
        => Assert.AreEqual("sum: 3", ChildProcess.Run(task, environment: Variables(Cache)).Trim());

    [TestMethod]
    public void The_log_of_each_context_says_it_once()
    {
        RequireMend();
        var lines = ChildProcess.Run("log", environment: Variables(Cache)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.HasCount(2, lines, string.Join(Environment.NewLine, lines));
        StringAssert.StartsWith(lines[0], "first: Info: this system (");
        StringAssert.StartsWith(lines[1], "second: Info: this system (");
    }

    [TestMethod]
    public void A_load_context_of_its_own_is_served_too()
        => StringAssert.Contains(ChildProcess.Run("load-context", environment: Variables(Cache)), "sum: 3");

    private string Load() => ChildProcess.Run("library", environment: Variables(Cache));

    private string Copy() => Directory.GetFiles(Cache, FileName, SearchOption.AllDirectories).Single();

    private static KeyValuePair<string, string?>[] Variables(string cache)
        => [new("XDG_CACHE_HOME", cache), new(TorchSharpLibrary.Switch, null)];

    private static void RequireMend()
    {
        var mend = VersionMend.Mend(File.ReadAllBytes(VersionMendTests.PackageFile), SystemLibraries.DefinedVersions);
        if (mend.Bytes is null)
            Assert.Inconclusive("The library loads on this system as it is.");
    }

    // The tests' application once more, with links to all of its files but one library.
    private string Application(byte[] library, string name = FileName)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root, "application")).FullName;
        var native = Path.Combine("runtimes", "linux-x64", "native");
        Directory.CreateDirectory(Path.Combine(folder, native));
        // The host looks where these lie, not where links to them do.
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "Ssl.FreshProcess.*"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "*.dll").Concat(Directory.GetFiles(Path.Combine(
            AppContext.BaseDirectory, native))))
        {
            var link = Path.Combine(folder, Path.GetRelativePath(AppContext.BaseDirectory, file));
            if (!File.Exists(link) && Path.GetFileName(file) != name)
                File.CreateSymbolicLink(link, file);
        }
        File.WriteAllBytes(Path.Combine(folder, native, name), library);
        return folder;
    }
}
