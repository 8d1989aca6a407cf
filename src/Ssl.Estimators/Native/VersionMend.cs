namespace Ssl.Estimators.Native;

/// <summary>
/// Lets a library built with a newer compiler load with an older C++ library where it does not use what is missing. TorchSharp 0.107's
/// library asks for GLIBCXX_3.4.32 (gcc 13) without using a symbol of it, and for GLIBCXX_3.4.30 (gcc 12) for one function that earlier
/// versions have too.
/// </summary>
internal static class VersionMend
{
    /// <summary>What <see cref="Result.Missing"/> says of bytes that are no library.</summary>
    internal const string NotALibrary = "the file is not a whole 64-bit library";

    private const string CppLibrary = "libstdc++.so.6";

    // Functions that got a new version without a change of what they do, and the version that they had before.
    private static readonly Dictionary<string, string> s_earlierVersion = new()
    {
        ["_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"] = "GLIBCXX_3.4.11",
    };

    /// <summary>What became of an image.</summary>
    /// <param name="Bytes">The mended image; <see langword="null"/> where nothing had to be or could be mended.</param>
    /// <param name="Mended">The versions that are no longer needed.</param>
    /// <param name="Missing">The versions that are needed and missing, with what is needed of them.</param>
    internal sealed record Result(byte[]? Bytes, IReadOnlyList<string> Mended, IReadOnlyList<string> Missing);

    /// <summary>Mends an image for the versions that this machine's libraries define.</summary>
    /// <param name="image">The library's bytes; not changed.</param>
    /// <param name="definedVersions">For the name of a library what it defines; <see langword="null"/> where it is not known.</param>
    internal static Result Mend(byte[] image, Func<string, IReadOnlySet<string>?> definedVersions)
    {
        if (ElfImage.TryRead((byte[])image.Clone()) is not { } elf)
            return new Result(null, [], [NotALibrary]);
        List<string> mended = [], missing = [];
        var needs = elf.Needs;
        foreach (var need in needs)
        {
            if (definedVersions(need.Library) is not { } defined || defined.Contains(need.Version))
                continue;
            // Of other libraries, and where the tables are missing, every symbol counts as used.
            var symbols = need.Library == CppLibrary ? elf.RelocatedSymbols(need) : null;
            if (symbols is { Count: 0 })
                elf.MarkWeak(need);
            else if (symbols is not null && EarlierVersion(symbols, needs, defined) is { } earlier)
                elf.Redirect(need, earlier);
            else
            {
                missing.Add($"{need.Library} lacks {need.Version}"
                    + (symbols is [{ } first, ..] ? $" with {first}{(symbols.Count > 1 ? $" and {symbols.Count - 1} more" : "")}" : ""));
                continue;
            }
            mended.Add(need.Version);
        }
        return new Result(mended.Count > 0 && missing.Count == 0 ? elf.Bytes : null, mended, missing);
    }

    /// <summary>Why an image cannot be mended and what to do, in a sentence without its full stop; null where nothing is missing.</summary>
    /// <param name="file">The library.</param>
    /// <param name="mend">What <see cref="Mend"/> gave.</param>
    /// <param name="system">The machine and its libraries.</param>
    internal static string? Fault(string file, Result mend, string system) => mend.Missing switch
    {
        [] => null,
        [NotALibrary] => DamagedFile(file),
        _ => $"{system} is too old for {file} ({string.Join("; ", mend.Missing)}). Use a system with glibc 2.34 and gcc 11's C++ library or"
            + " newer (Debian 12, Ubuntu 22.04, RHEL 9)",
    };

    /// <summary>That a file is damaged and what to do, in a sentence without its full stop.</summary>
    internal static string DamagedFile(string file)
        => $"{file} is damaged: it is cut off or no library. Restore the packages again (dotnet nuget locals all --clear; dotnet restore)"
            + " and build the application anew";

    private static ElfImage.Need? EarlierVersion(IReadOnlyList<string> symbols, IReadOnlyList<ElfImage.Need> needs,
        IReadOnlySet<string> defined)
    {
        var versions = symbols.Select(symbol => s_earlierVersion.GetValueOrDefault(symbol)).Distinct().ToArray();
        if (versions is not [{ } version] || !defined.Contains(version))
            return null;
        var found = needs.Where(need => need.Library == CppLibrary && need.Version == version).ToArray();
        return found.Length == 0 ? null : found[0];
    }
}
