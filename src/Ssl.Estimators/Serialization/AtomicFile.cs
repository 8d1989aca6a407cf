namespace Ssl.Estimators.Serialization;

/// <summary>Writes a file whole or not at all: under a temporary name beside it, then renamed.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Calls <paramref name="write"/> with a new file and puts it in the place of <paramref name="path"/>. A failure leaves what was
    /// there before.
    /// </summary>
    /// <exception cref="IOException">The path cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        var stream = Open(path, temporary);
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            try
            {
                File.Move(temporary, path, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Unwritable(path, e);
            }
        }
        finally
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    private static FileStream Open(string path, string temporary)
    {
        try
        {
            // No buffer of its own: weights come in large pieces.
            return new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Unwritable(path, e);
        }
    }

    private static IOException Unwritable(string path, Exception inner) =>
        new($"Cannot write '{path}': {inner.Message} Choose a file name in an existing, writable folder.", inner);
}
