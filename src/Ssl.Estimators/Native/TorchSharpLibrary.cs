using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using TorchSharp;

namespace Ssl.Estimators.Native;

/// <summary>
/// Loads TorchSharp's native library where it does not load as it is. On Linux systems with a C++ library older than gcc 13's (Debian 12,
/// Ubuntu 22.04, RHEL 9, and the .NET images built on them) libLibTorchSharp.so is refused for a symbol version that it does not use. There
/// a mended copy, in a folder of the user's own, is loaded in its place; the package stays as it is. Where the ordinary load works,
/// nothing happens.
/// </summary>
/// <remarks>
/// Takes effect when a type of this assembly or of Ssl.MLNet is first used. An application that computes with TorchSharp before that calls
/// <see cref="Prepare"/> first: after a failure TorchSharp does not try again in that process.
/// SSL_MEND_TORCHSHARP=0 in the environment turns it off.
/// </remarks>
public static class TorchSharpLibrary
{
    /// <summary>The environment variable that turns the mending off when it is 0.</summary>
    public const string Switch = "SSL_MEND_TORCHSHARP";

    private const string Name = "LibTorchSharp", FileName = "libLibTorchSharp.so";

    private static readonly string[] s_needed = ["libc10.so", "libtorch_cpu.so", "libtorch.so"];
    private static readonly Lock s_lock = new();
    private static int s_installed;
    private static nint s_handle;

    // Whether TorchSharp's own ways of finding its parts, which come after this one, cannot help.
    private static bool s_isFinal;

    /// <summary>What was done, in a sentence; <see langword="null"/> where the library loads as it is or was not needed yet.</summary>
    public static string? Notice { get; private set; }

    // Why the library could be neither loaded nor mended, in a sentence that says what to do.
    internal static string? Fault { get; private set; }

    /// <summary>
    /// Makes sure that the library is found when TorchSharp first asks for it. Needed only before a use of TorchSharp that comes before
    /// any use of this pack.
    /// </summary>
    public static void Prepare()
    {
        if (!OperatingSystem.IsLinux() || Interlocked.Exchange(ref s_installed, 1) == 1)
            return;
        // Raised only after the ordinary ways have failed.
        var context = AssemblyLoadContext.GetLoadContext(typeof(torch).Assembly) ?? AssemblyLoadContext.Default;
        context.ResolvingUnmanagedDll += static (assembly, name) => name == Name && OperatingSystem.IsLinux() ? Resolve(assembly) : 0;
    }

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Must come before the first use of TorchSharp, without an action of the user.")]
    internal static void Initialize()
    {
        OneDnn.Limit();
        Prepare();
    }

    /// <summary>
    /// Loads the library before TorchSharp does: to load one that is cut off can end the process, and where none loads TorchSharp copies
    /// half a gigabyte before it says so. The sentence about what is wrong, without its full stop; null where nothing is or nothing is
    /// known.
    /// </summary>
    internal static string? FindFault()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var assembly = typeof(torch).Assembly;
        var folders = SearchFolders(assembly);
        return ((string[])[.. s_needed, FileName]).Select(name => Find(folders, name)).OfType<string>()
            .Where(file => !ElfImage.IsWhole(file)).Select(VersionMend.DamagedFile).FirstOrDefault()
            ?? (NativeLibrary.TryLoad(Name, assembly, null, out _) || !s_isFinal ? null : Fault);
    }

    // Called by the runtime, which would report an exception as one of whatever asked for the library.
    [SupportedOSPlatform("linux")]
    private static nint Resolve(Assembly assembly)
    {
        lock (s_lock)
        {
            try
            {
                if (s_handle == 0)
                    s_handle = Load(SearchFolders(assembly), CacheFolder());
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                Fault = $"the library could not be read: {failure.Message.TrimEnd('.')}";
            }
            return s_handle;
        }
    }

    /// <summary>Loads the library from the first of the folders that has it, as it is or mended; 0 where it cannot be loaded.</summary>
    /// <param name="folders">Where to look.</param>
    /// <param name="cacheFolder">Where the copy goes; null where the user has no folder of his own.</param>
    [SupportedOSPlatform("linux")]
    internal static nint Load(IReadOnlyList<string> folders, string? cacheFolder)
    {
        (Fault, Notice, s_isFinal) = (null, null, false);
        if (Find(folders, FileName) is not { } file)
            return 0;
        if (!ElfImage.IsWhole(file))
        {
            Fault = VersionMend.DamagedFile(file);
            return 0;
        }
        string? refused = LoadNeeded(folders);
        if (NativeLibrary.TryLoad(file, out nint ordinary))
            return ordinary;
        if (refused is not null)
        {
            Fault = refused;
            return 0;
        }
        s_isFinal = true;
        if (Environment.GetEnvironmentVariable(Switch) == "0")
        {
            Fault = $"{ThisSystem()} cannot load {file} as it is, and {Switch}=0 forbids to load a mended copy. Remove that variable";
            return 0;
        }
        var mend = VersionMend.Mend(File.ReadAllBytes(file), SystemLibraries.DefinedVersions);
        if (mend.Bytes is null)
        {
            Fault = VersionMend.Fault(file, mend, ThisSystem());
            return 0;
        }
        nint handle = LoadCopy(file, mend, cacheFolder);
        if (handle == 0 && Find(folders, "libtorch_cpu.so") is null)
            Fault = null; // the copy was not at fault: there is no libtorch, and TorchSharp says which package has it
        return handle;
    }

    [SupportedOSPlatform("linux")]
    private static nint LoadCopy(string file, VersionMend.Result mend, string? cacheFolder)
    {
        string place = cacheFolder ?? "a folder of the user's own (there is none)", reason = "";
        if (cacheFolder is not null)
        {
            place = Path.Combine(cacheFolder, Convert.ToHexStringLower(SHA256.HashData(mend.Bytes!))[..16]);
            if (TryLoadCopy(place, out nint handle, out string copy, out reason))
                return Done(handle, copy);
        }
        string temporary = Directory.CreateTempSubdirectory("ssl-mlnet-").FullName; // made for the user alone
        try
        {
            if (TryLoadCopy(temporary, out nint handle, out _, out string temporaryReason))
                return Done(handle, $"one in {Path.GetTempPath()} that is removed already, since {place} cannot be used");
            Fault = $"a mended copy of {file} could be neither loaded from {place}{reason} nor from {temporary}{temporaryReason}. Give the"
                + " process a folder that belongs to its user, that nobody else may write to, and that libraries may be loaded from:"
                + " XDG_CACHE_HOME, HOME or TMPDIR";
            return 0;
        }
        finally
        {
            PrivateFile.TryDelete(Path.Combine(temporary, FileName)); // stays mapped while it is used
            TryRemove(temporary);
        }

        bool TryLoadCopy(string folder, out nint handle, out string copy, out string reason)
        {
            (handle, reason) = (0, "");
            copy = PrivateFile.TryPut(folder, FileName, mend.Bytes!) ?? "";
            if (copy.Length == 0)
                return false;
            try
            {
                handle = NativeLibrary.Load(copy);
                return true;
            }
            catch (Exception failure) when (failure is DllNotFoundException or BadImageFormatException)
            {
                reason = $" ({FirstLine(failure)})";
                return false;
            }
        }

        nint Done(nint handle, string copy)
        {
            Notice = $"{ThisSystem()} refuses TorchSharp's library for {string.Join(" and ", mend.Mended)}, which it does not need."
                + $" Loaded a copy without that: {copy} ({Switch}=0 turns this off).";
            return handle;
        }
    }

    // The copy lies elsewhere than the libraries that it needs: with those in memory the loader finds them by name. Says which is refused.
    private static string? LoadNeeded(IReadOnlyList<string> folders)
    {
        foreach (string name in s_needed)
        {
            if (Find(folders, name) is not { } needed)
                continue;
            if (!ElfImage.IsWhole(needed))
                return VersionMend.DamagedFile(needed);
            try
            {
                NativeLibrary.Load(needed);
            }
            catch (Exception fault) when (fault is DllNotFoundException or BadImageFormatException)
            {
                return $"{needed} does not load: {FirstLine(fault)}";
            }
        }
        return null;
    }

    private static string FirstLine(Exception fault) => fault.Message.Split('\n')[0].Trim().TrimEnd('.');

    private static string? Find(IReadOnlyList<string> folders, string name)
        => folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    // Where the host looks for native libraries, the application's folder, and the package folder (notebooks and scripts load from there).
    private static List<string> SearchFolders(Assembly assembly)
    {
        var folders = ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).ToList();
        folders.Add(AppContext.BaseDirectory);
        string native = Path.Combine("runtimes", RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "linux-arm64" : "linux-x64",
            "native");
        folders.Add(Path.Combine(AppContext.BaseDirectory, native));
        if (assembly.Location is { Length: > 0 } location && Path.GetDirectoryName(location) is { } folder)
        {
            folders.Add(folder);
            string package = Path.GetFullPath(Path.Combine(folder, "..", ".."));
            folders.Add(Path.Combine(package, native));
            string libtorch = Path.GetFullPath(Path.Combine(package, "..", "..", "libtorch-cpu-linux-x64"));
            if (Directory.Exists(libtorch))
                folders.AddRange(Directory.EnumerateDirectories(libtorch).Select(version => Path.Combine(version, native)));
        }
        return folders;
    }

    // $XDG_CACHE_HOME/ssl-mlnet, else ~/.cache/ssl-mlnet; null where neither is an absolute path.
    private static string? CacheFolder()
    {
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!Path.IsPathFullyQualified(cache ?? ""))
            cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return Path.IsPathFullyQualified(cache!) ? Path.Combine(cache!, "ssl-mlnet") : null;
    }

    private static string ThisSystem()
        => $"this system ({RuntimeInformation.OSDescription.Trim()}; {SystemLibraries.Describe(SystemLibraries.DefinedVersions)})";

    private static void TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }
}
