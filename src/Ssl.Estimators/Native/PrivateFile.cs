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
    private const int Folder = 0x4000, RegularFile = 0x8000, KindBits = 0xF000, OthersMayWrite = 0x12, Sticky = 0x200;

    /// <summary>
    /// The path of a file with this content under the given folder, which is made where it is missing; <see langword="null"/> where that
    /// cannot be (a read-only disk, a folder that another user owns or may write to).
    /// </summary>
    /// <param name="folder">The folder, an absolute path; made for the user alone.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="content">What it must hold. A file with other content is replaced.</param>
    /// <returns>The path without any link in it.</returns>
    internal static string? TryPut(string folder, string name, byte[] content)
    {
        string? temporary = null;
        try
        {
            MakeFolder(folder);
            if (WithoutLinks(folder) is not { } real || !IsOursAlone(real, Folder) || !IsGuarded(real))
                return null;
            string path = Path.Combine(real, name);
            if (Holds(path, content))
                return path;
            temporary = Path.Combine(real, $"{name}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp");
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
            return null;
        }
        finally
        {
            if (temporary is not null)
                TryDelete(temporary);
        }
    }

    /// <summary>
    /// Whether the path is a file of the user's own, writable by nobody else, with exactly this content (compared by SHA-256).
    /// </summary>
    internal static bool Holds(string path, byte[] content)
    {
        if (!IsOursAlone(path, RegularFile))
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

    // Those above it that are missing, too: a folder made for the user's group alone would be refused.
    private static void MakeFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (Path.GetDirectoryName(folder) is { } above)
            MakeFolder(above);
        Directory.CreateDirectory(folder, OwnerOnly);
    }

    // Of this kind and not a link, owned by the user that this process runs as, and nobody else may write to it.
    private static bool IsOursAlone(string path, int kind)
        => Status(path) is var (owner, mode) && owner == geteuid() && (mode & KindBits) == kind && (mode & OthersMayWrite) == 0;

    // Nobody else can put another folder in the place of this one or of one above it: all of those belong to the user or the system, and
    // who may write to one (as to /tmp) may not rename what is not his own.
    private static bool IsGuarded(string folder)
    {
        if (Status("/") is not var (system, _))
            return false;
        for (string? above = Path.GetDirectoryName(folder); above is not null; above = Path.GetDirectoryName(above))
        {
            if (Status(above) is not var (owner, mode) || (owner != 0 && owner != system && owner != geteuid())
                || ((mode & OthersMayWrite) != 0 && (mode & Sticky) == 0))
                return false;
        }
        return true;
    }

    private static (uint Owner, int Mode)? Status(string path)
    {
        const int currentFolder = -100, doNotFollowLinks = 0x100, basicFields = 0x7ff;
        var status = new byte[256]; // struct statx, the same on every architecture
        return statx(currentFolder, path, doNotFollowLinks, basicFields, status) == 0
            ? (BitConverter.ToUInt32(status, 20), BitConverter.ToUInt16(status, 28)) : null;
    }

    private static string? WithoutLinks(string path)
    {
        nint text = realpath(path, 0);
        if (text == 0)
            return null;
        string? real = Marshal.PtrToStringUTF8(text);
        free(text);
        return real;
    }

    [DllImport("libc")]
    private static extern int statx(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, byte[] status);

    [DllImport("libc")]
    private static extern nint realpath([MarshalAs(UnmanagedType.LPUTF8Str)] string path, nint buffer);

    [DllImport("libc")]
    private static extern void free(nint memory);

    [DllImport("libc")]
    private static extern uint geteuid();
}
