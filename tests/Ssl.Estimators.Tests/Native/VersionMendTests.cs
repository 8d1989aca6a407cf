using System.Diagnostics;
using Ssl.Estimators.Native;

namespace Ssl.Estimators.Tests.Native;

/// <summary>The library of the TorchSharp package, mended for the libraries of other systems.</summary>
[TestClass]
[TestCategory("Checkout")]
[OSCondition(OperatingSystems.Linux)]
public sealed class VersionMendTests
{
    private const string Cpp = "libstdc++.so.6", C = "libc.so.6";

    internal static string PackageFile => Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    private static byte[] Library() => File.ReadAllBytes(PackageFile);

    // Newest minor versions of GLIBCXX_3.4, CXXABI_1.3 and GLIBC_2, as the systems have them.
    private static Func<string, IReadOnlySet<string>?> Defining(int glibcxx, int cxxabi, int glibc)
    {
        HashSet<string> cpp = ["GLIBCXX_3.4", "CXXABI_1.3", "CXXABI_FLOAT128", "CXXABI_TM_1",
            .. Enumerable.Range(1, glibcxx).Select(i => $"GLIBCXX_3.4.{i}"),
            .. Enumerable.Range(1, cxxabi).Select(i => $"CXXABI_1.3.{i}")];
        HashSet<string> c = ["GLIBC_2.2.5", "GLIBC_2.3.4", .. Enumerable.Range(3, glibc - 2).Select(i => $"GLIBC_2.{i}")];
        return library => library switch { Cpp => cpp, C => c, _ => null };
    }

    [TestMethod]
    public void Where_the_library_loads_as_it_is_nothing_is_mended()
    {
        var ubuntu2404 = VersionMend.Mend(Library(), Defining(33, 15, 39));
        Assert.IsNull(ubuntu2404.Bytes);
        Assert.IsEmpty(ubuntu2404.Mended);
        Assert.IsEmpty(ubuntu2404.Missing);
    }

    [TestMethod]
    public void For_Debian_12_one_version_becomes_weak_and_nothing_else_changes()
    {
        var original = Library();
        var mend = VersionMend.Mend(original, Defining(30, 13, 36));
        CollectionAssert.AreEqual(new[] { "GLIBCXX_3.4.32" }, mend.Mended.ToArray());
        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != mend.Bytes![i]).ToArray();
        Assert.HasCount(1, changed);
        Assert.AreEqual(original[changed[0]] | 2, mend.Bytes![changed[0]]);
    }

    [TestMethod]
    public void For_RHEL_9_readelf_sees_an_older_version_in_place_of_the_missing_one()
    {
        var mend = VersionMend.Mend(Library(), Defining(29, 13, 34));
        CollectionAssert.AreEquivalent(new[] { "GLIBCXX_3.4.30", "GLIBCXX_3.4.32" }, mend.Mended.ToArray());
        var folder = Directory.CreateTempSubdirectory("ssl-mend-").FullName;
        try
        {
            var path = Path.Combine(folder, "mended.so");
            File.WriteAllBytes(path, mend.Bytes!);
            if (ReadElf(path) is not { } text || ReadElf(PackageFile) is not { } before)
            {
                Assert.Inconclusive("readelf (binutils) is not installed.");
                return;
            }
            StringAssert.Contains(before, "Name: GLIBCXX_3.4.30");
            Assert.IsFalse(text.Contains("Name: GLIBCXX_3.4.30", StringComparison.Ordinal), text);
            Assert.AreEqual(Count(before, "Name: GLIBCXX_3.4.11 ") + 1, Count(text, "Name: GLIBCXX_3.4.11 "));
            StringAssert.Contains(Line(before, "GLIBCXX_3.4.32"), "Flags: none");
            StringAssert.Contains(Line(text, "GLIBCXX_3.4.32"), "Flags: WEAK");
            // All that readelf tells apart beside: the two lines, and the version of the one function.
            var (left, right) = (before.Split('\n'), text.Split('\n'));
            Assert.HasCount(left.Length, right);
            foreach (var (was, now) in left.Zip(right).Where(pair => pair.First != pair.Second))
                Assert.IsTrue(was.Contains("3.4.30", StringComparison.Ordinal) || was.Contains("3.4.32", StringComparison.Ordinal)
                    || was.Contains("(GLIBCXX_3", StringComparison.Ordinal), $"{was} became {now}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void For_Debian_11_the_sentence_names_what_is_there_what_is_missing_and_the_way_out()
    {
        var debian11 = Defining(28, 12, 31);
        var mend = VersionMend.Mend(Library(), debian11);
        Assert.IsNull(mend.Bytes);
        var fault = VersionMend.Fault("libLibTorchSharp.so", mend, $"this system ({SystemLibraries.Describe(debian11)})")!;
        StringAssert.StartsWith(fault,
            "this system (C++ library GLIBCXX_3.4.28, C library GLIBC_2.31) is too old for libLibTorchSharp.so (");
        StringAssert.Contains(fault, "libc.so.6 lacks GLIBC_2.3");
        StringAssert.EndsWith(fault, "(Debian 12, Ubuntu 22.04, RHEL 9)");
    }

    [TestMethod]
    public void A_version_whose_symbols_are_used_is_not_made_weak()
    {
        var mend = VersionMend.Mend(Library(), Defining(20, 13, 36));
        Assert.IsNull(mend.Bytes);
        Assert.IsTrue(mend.Missing.Any(text => text.Contains(" with _Z", StringComparison.Ordinal)), string.Join("; ", mend.Missing));
    }

    [TestMethod]
    public void Needs_are_those_that_readelf_lists()
    {
        if (ReadElf(PackageFile) is not { } text)
        {
            Assert.Inconclusive("readelf (binutils) is not installed.");
            return;
        }
        var needed = text[text.IndexOf("Version needs section", StringComparison.Ordinal)..].Split('\n')
            .Where(line => line.Contains("Name: ", StringComparison.Ordinal)).Select(line => line.Split("Name: ")[1].Split(' ')[0]);
        CollectionAssert.AreEquivalent(needed.ToArray(), ElfImage.TryRead(Library())!.Needs.Select(need => need.Version).ToArray());
    }

    [TestMethod]
    public void Bytes_that_are_no_library_are_called_damaged()
    {
        foreach (var bytes in (byte[][])[[], [1, 2, 3], Library()[..5000], new byte[70_000]])
        {
            var mend = VersionMend.Mend(bytes, Defining(30, 13, 36));
            Assert.IsNull(mend.Bytes);
            StringAssert.Contains(VersionMend.Fault("file.so", mend, "here"), "file.so is damaged");
        }
    }

    [TestMethod]
    [Timeout(300_000)]
    public void No_damage_hangs_or_throws()
    {
        var library = Library();
        var systems = Defining(29, 13, 34);
        var random = new Random(7);
        var sections = checked((int)BitConverter.ToInt64(library, 0x28));
        // Where it says most: the header, the table of sections, the versions that it needs.
        int[] places = [0, sections, ElfImage.TryRead(library)!.Needs.Min(need => need.Offset) - 16];
        var refused = 0;
        for (var i = 0; i < 400; i++)
        {
            var bytes = (byte[])library.Clone();
            for (var flips = random.Next(1, 6); flips > 0; flips--)
            {
                var at = places[random.Next(places.Length)] + random.Next(600);
                if (at < bytes.Length)
                    bytes[at] = (byte)(random.Next(4) == 0 ? 0xff : random.Next(256));
            }
            if (i % 5 == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            refused += VersionMend.Mend(bytes, systems).Bytes is null ? 1 : 0;
        }
        Assert.IsGreaterThan(100, refused);
    }

    [TestMethod]
    [Timeout(60_000)]
    public void Lists_that_turn_in_a_circle_end()
    {
        var library = Library();
        var need = ElfImage.TryRead(library)!.Needs[0];
        // The entry is the next one after itself, and there are as many as can be said.
        BitConverter.GetBytes(0).CopyTo(library, need.Offset + 12);
        var section = BitConverter.ToInt64(library, 0x28);
        for (var i = 0; i < BitConverter.ToUInt16(library, 0x3C); i++)
        {
            if (BitConverter.ToUInt32(library, (int)section + 64 * i + 4) == 0x6ffffffe)
            {
                BitConverter.GetBytes(int.MaxValue).CopyTo(library, (int)section + 64 * i + 44);
                BitConverter.GetBytes(ushort.MaxValue).CopyTo(library, (int)BitConverter.ToInt64(library, (int)section + 64 * i + 24) + 2);
            }
        }
        Assert.IsNull(ElfImage.TryRead(library));
    }

    [TestMethod]
    public void The_versions_of_this_system_are_those_of_its_libraries()
    {
        var text = SystemLibraries.Describe(SystemLibraries.DefinedVersions);
        StringAssert.Matches(text, new System.Text.RegularExpressions.Regex(@"^C\+\+ library GLIBCXX_3\.4\.\d+, C library GLIBC_2\.\d+$"));
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static string Line(string text, string part)
        => text.Split('\n').First(line => line.Contains($"Name: {part} ", StringComparison.Ordinal));

    // What binutils reads of the versions, symbols without addresses; null where it is not there.
    private static string? ReadElf(string path)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("readelf", ["-W", "-V", path]) { RedirectStandardOutput = true })!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? text : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
