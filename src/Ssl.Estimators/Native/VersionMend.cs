namespace Ssl.Estimators.Native;

/// <summary>
/// Lets a library built with a newer compiler load with an older C++ library where it does not use what is missing. TorchSharp 0.107's
/// library asks for GLIBCXX_3.4.32 (gcc 13) without using a symbol of it, and for GLIBCXX_3.4.30 (gcc 12) for one function that earlier
/// versions have too.
/// </summary>
internal static class VersionMend
{
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
            return new Result(null, [], ["the file is not a whole 64-bit library"]);
        List<string> mended = [], missing = [];
        var needs = elf.Needs();
        foreach (var need in needs)
        {
            if (definedVersions(need.Library) is not { } defined || defined.Contains(need.Version))
                continue;
            var symbols = need.Library == CppLibrary ? elf.RelocatedSymbols(need) : [need.Version];
            if (symbols.Count == 0)
                elf.MarkWeak(need);
            else if (EarlierVersion(symbols, needs, defined) is { } earlier)
                elf.Redirect(need, earlier);
            else
            {
                missing.Add($"{need.Library} lacks {need.Version}");
                continue;
            }
            mended.Add(need.Version);
        }
        return new Result(mended.Count > 0 && missing.Count == 0 ? elf.Bytes : null, mended, missing);
    }

    private static ElfImage.Need? EarlierVersion(IReadOnlyList<string> symbols, IReadOnlyList<ElfImage.Need> needs, IReadOnlySet<string> defined)
    {
        var versions = symbols.Select(symbol => s_earlierVersion.GetValueOrDefault(symbol)).Distinct().ToArray();
        if (versions is not [{ } version] || !defined.Contains(version))
            return null;
        var found = needs.Where(need => need.Library == CppLibrary && need.Version == version).ToArray();
        return found.Length == 0 ? null : found[0];
    }
}
