using System.Buffers;
using System.Buffers.Binary;

namespace Ssl.Estimators.Data;

/// <summary>
/// Whether a file of an image has its end. Decoders give a cut image without a word, the missing part empty. Known: JPEG, PNG and WebP; of others
/// nothing is said.
/// </summary>
internal static class ImageEnd
{
    private const byte Marker = 0xff, StartOfImage = 0xd8, EndOfImage = 0xd9, FirstRestart = 0xd0, Temporary = 0x01;

    /// <summary>Whether the file ends before its image does.</summary>
    /// <param name="path">A file.</param>
    public static bool IsMissing(string path)
    {
        using var file = File.OpenHandle(path);
        var length = checked((int)RandomAccess.GetLength(file));
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var read = 0;
            while (read < length && RandomAccess.Read(file, buffer.AsSpan(read, length - read), read) is > 0 and var more)
                read += more;
            return IsMissing(buffer.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The same for its content.</summary>
    public static bool IsMissing(ReadOnlySpan<byte> file) => file switch
    {
        [Marker, StartOfImage, ..] => !HasJpegEnd(file),
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => !HasPngEnd(file[8..]),
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] when file.Length >= 12 && file[8..12].SequenceEqual("WEBP"u8)
            => file.Length < 8L + BinaryPrimitives.ReadUInt32LittleEndian(file[4..]),
        _ => false,
    };

    // Segments state their length, so that the end of a thumbnail within one does not count; a scan goes on to the next marker.
    private static bool HasJpegEnd(ReadOnlySpan<byte> file)
    {
        var at = 2;
        while (at + 1 < file.Length)
        {
            if (file[at] != Marker)
            {
                var next = file[at..].IndexOf(Marker);
                if (next < 0)
                    return false;
                at += next;
                continue;
            }
            switch (file[at + 1])
            {
                case EndOfImage:
                    return true;
                case Marker:
                    at++;
                    break;
                // Of a scan: a byte of 0xff, and a restart.
                case 0 or Temporary or (>= FirstRestart and <= StartOfImage):
                    at += 2;
                    break;
                default:
                    if (at + 4 > file.Length)
                        return false;
                    at += 2 + BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
                    break;
            }
        }
        return false;
    }

    private static bool HasPngEnd(ReadOnlySpan<byte> chunks)
    {
        while (chunks.Length >= 12)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunks);
            if (length > chunks.Length - 12)
                return false;
            if (chunks[4..8].SequenceEqual("IEND"u8))
                return true;
            chunks = chunks[(12 + (int)length)..];
        }
        return false;
    }
}
