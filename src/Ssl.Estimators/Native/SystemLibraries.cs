using System.Runtime.InteropServices;

namespace Ssl.Estimators.Native;

/// <summary>Which symbol versions this machine's own C and C++ libraries define (Linux).</summary>
internal static class SystemLibraries
{
    /// <summary>The versions that a library in this process defines; <see langword="null"/> where it cannot be loaded or read.</summary>
    internal static IReadOnlySet<string>? DefinedVersions(string library)
    {
        NativeLibrary.TryLoad(library, out _); // so that it is mapped
        // The file behind it, which a link such as libstdc++.so.6 names: .../libstdc++.so.6.0.30
        string? path = File.ReadLines("/proc/self/maps").Select(line => line[Math.Max(line.IndexOf('/'), 0)..])
            .FirstOrDefault(file => Path.GetFileName(file).StartsWith(library, StringComparison.Ordinal) && File.Exists(file));
        return path is null ? null : ElfImage.TryRead(File.ReadAllBytes(path))?.DefinedVersions;
    }

    /// <summary>The versions that matter, for messages: "C++ library GLIBCXX_3.4.30, C library GLIBC_2.36".</summary>
    internal static string Describe(Func<string, IReadOnlySet<string>?> definedVersions)
        => $"C++ library {Newest(definedVersions("libstdc++.so.6"), "GLIBCXX_")},"
            + $" C library {Newest(definedVersions("libc.so.6"), "GLIBC_")}";

    private static string Newest(IReadOnlySet<string>? versions, string prefix)
        => versions?.Where(version => version.StartsWith(prefix, StringComparison.Ordinal))
            .Where(version => Version.TryParse(version[prefix.Length..], out _)).MaxBy(version => Version.Parse(version[prefix.Length..]))
            ?? "of unknown version";
}
