namespace Ssl.Estimators.Serialization;

/// <summary>Writes a file whole or not at all: under a temporary name beside it, then renamed.</summary>
internal static class AtomicFile
{
    private const string TemporaryEnd = ".tmp";

    /// <summary>
    /// Calls <paramref name="write"/> with a new file and puts it in the place of <paramref name="path"/>. A failure leaves what was
    /// there before, and nothing beside it.
    /// </summary>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        DeleteLeftovers(path);
        var temporary = TemporaryOf(path);
        try
        {
            using (var stream = Create(path, temporary))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Unwritable(path, e);
        }
        finally
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    /// <summary>Finds out whether <see cref="Write"/> can work, before the work whose result it is to hold.</summary>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public static void RequireWritable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        DeleteLeftovers(path);
        var temporary = TemporaryOf(path);
        try
        {
            if (Directory.Exists(path))
                throw new IOException("It is a folder.");
            using var stream = Create(path, temporary);
            stream.WriteByte(0);
        }
        catch (Exception e) when (IsFault(e))
        {
            throw Unwritable(path, e);
        }
        finally
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    private static FileStream Create(string path, string temporary)
    {
        try
        {
            // No buffer of its own: weights come in large pieces.
            return new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        }
        catch (NotSupportedException e)
        {
            throw Unwritable(path, e);
        }
    }

    // "model.ssl.5f0c...e1.tmp": what a process left that was killed while it wrote to this path.
    private static void DeleteLeftovers(string path)
    {
        try
        {
            var (folder, name) = (Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path));
            foreach (var file in Directory.EnumerateFiles(folder, $"{name}.*{TemporaryEnd}"))
            {
                var middle = Path.GetFileName(file)[(name.Length + 1)..^TemporaryEnd.Length];
                if (Guid.TryParseExact(middle, "N", out _) && !IsInUse(file))
                    File.Delete(file);
            }
        }
        catch (Exception e) when (IsFault(e))
        {
            // Whether the path can be written is found out by writing; what was left does no harm.
        }
    }

    // Another process may be writing to the same path just now.
    private static bool IsInUse(string file)
    {
        try
        {
            using var _ = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string TemporaryOf(string path) => $"{path}.{Guid.NewGuid():N}{TemporaryEnd}";

    private static bool IsFault(Exception e) => e is IOException or UnauthorizedAccessException;

    private static IOException Unwritable(string path, Exception inner) => new(
        $"Cannot write '{path}': {inner.Message.TrimEnd('.')}. Choose a file name in an existing, writable folder with space left.", inner);
}
