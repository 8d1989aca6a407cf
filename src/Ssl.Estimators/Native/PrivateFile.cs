using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace Ssl.Estimators.Native;

/// <summary>
/// A file with known content in a folder that belongs to the user alone (Linux): written under another name and renamed, and used only
/// where owner, rights and content are right, so that no other user's file is ever loaded.
/// </summary>
[SupportedOSPlatform("linux")]
internal static class PrivateFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// The path of a file with this content under the given folder, which is made where it is missing; <see langword="null"/> where that
    /// cannot be (a read-only disk, a folder of another user).
    /// </summary>
    /// <param name="folder">The folder; made for the user alone.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="content">What it must hold. A file with other content is replaced.</param>
    internal static string? TryPut(string folder, string name, byte[] content)
    {
        string? temporary = null;
        try
        {
            Directory.CreateDirectory(folder, OwnerOnly);
            if (!IsOursAlone(folder))
                return null;
            string path = Path.Combine(folder, name);
            if (Holds(path, content))
                return path;
            temporary = Path.Combine(folder, $"{name}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp");
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            temporary = null;
            return Holds(path, content) ? path : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            if (temporary is not null)
                TryDelete(temporary);
            return null;
        }
    }

    /// <summary>Whether the path is a file of the user's own, writable by nobody else, with exactly this content (compared by SHA-256).</summary>
    internal static bool Holds(string path, byte[] content)
    {
        if (!File.Exists(path) || !IsOursAlone(path))
            return false;
        byte[] found = File.ReadAllBytes(path);
        return found.Length == content.Length && SHA256.HashData(found).AsSpan().SequenceEqual(SHA256.HashData(content));
    }

    /// <summary>Removes a file; what cannot be removed stays.</summary>
    internal static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
        }
    }

    // Not a link, owned by the user that this process runs as, and nobody else may write to it.
    private static bool IsOursAlone(string path)
    {
        const int currentFolder = -100, doNotFollowLinks = 0x100, basicFields = 0x7ff;
        var status = new byte[256]; // struct statx, the same on every architecture
        if (statx(currentFolder, path, doNotFollowLinks, basicFields, status) != 0)
            return false;
        uint owner = BitConverter.ToUInt32(status, 20);
        int mode = BitConverter.ToUInt16(status, 28), kind = mode & 0xF000;
        return owner == geteuid() && kind is 0x4000 or 0x8000 && (mode & 0x12) == 0; // folder or file; no write for group and others
    }

    [DllImport("libc")]
    private static extern int statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] status);

    [DllImport("libc")]
    private static extern uint geteuid();
}
