using System.Runtime.InteropServices;

namespace Ssl.Estimators.Native;

/// <summary>Which symbol versions this machine's own C and C++ libraries define (Linux).</summary>
internal static class SystemLibraries
{
    /// <summary>The versions that a library in this process defines; <see langword="null"/> where it cannot be loaded or read.</summary>
    internal static IReadOnlySet<string>? DefinedVersions(string library)
    {
        NativeLibrary.TryLoad(library, out _); // so that it is mapped
        string? path = File.ReadLines("/proc/self/maps").Select(line => line[Math.Max(line.IndexOf('/'), 0)..])
            .FirstOrDefault(file => Path.GetFileName(file).StartsWith(library, StringComparison.Ordinal) && File.Exists(file));
        return path is null ? null : ElfImage.TryRead(File.ReadAllBytes(path))?.DefinedVersions();
    }

    /// <summary>The newest version with a prefix, for example GLIBCXX_3.4.30; a word where it is not known.</summary>
    internal static string Newest(string library, string prefix)
        => DefinedVersions(library)?.Where(version => version.StartsWith(prefix, StringComparison.Ordinal))
            .Where(version => Version.TryParse(version[prefix.Length..], out _)).MaxBy(version => Version.Parse(version[prefix.Length..]))
            ?? "of unknown version";
}
