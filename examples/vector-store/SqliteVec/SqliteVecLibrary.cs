using System.Runtime.InteropServices;

namespace VectorStoreExample.SqliteVec;

/// <summary>Where the extension is.</summary>
public static class SqliteVecLibrary
{
    /// <summary>Its file beside the application; null where the build could not fetch it or there is none for this system.</summary>
    public static string? Find()
    {
        var (system, extension) = OperatingSystem.IsWindows() ? ("win32", "dll") : OperatingSystem.IsMacOS() ? ("darwin", "dylib") : ("linux", "so");
        var processor = RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();
        var libc = RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal) ? "-musl" : "";
        var path = Path.Combine(AppContext.BaseDirectory, "sqlite-vec", $"{system}-{processor}{libc}", $"vec0.{extension}");
        return File.Exists(path) ? path : null;
    }

    /// <summary>What to say where it is not there.</summary>
    public const string Missing = "sqlite-vec is not beside the application. The build fetches it with npm (examples/vector-store/SqliteVec.targets): install npm, or "
        + "run `npm ci` in examples/vector-store, and build again.";
}
