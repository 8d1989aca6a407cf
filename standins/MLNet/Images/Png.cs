using System.Buffers.Binary;
using System.IO.Compression;

namespace Microsoft.ML.Images;

/// <summary>PNG files as bytes of red, green, blue and alpha. Interlaced ones are not read.</summary>
internal static class Png
{
    private static readonly byte[] _signature = [137, 80, 78, 71, 13, 10, 26, 10];

    public static byte[] Encode(int width, int height, byte[] rgba)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(rgba, y * width * 4, width * 4);
            }
        }

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 6);
        using var file = new MemoryStream();
        file.Write(_signature);
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, packed.ToArray());
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    /// <summary>False where the bytes are no PNG file, or a damaged one.</summary>
    public static bool TryDecode(byte[] file, out int width, out int height, out byte[] rgba)
    {
        (width, height, rgba) = (0, 0, null);
        if (!file.AsSpan().StartsWith(_signature))
        {
            return false;
        }

        try
        {
            (width, height, rgba) = Decode(file);
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentException or IndexOutOfRangeException)
        {
            return false;
        }
    }

    private static (int Width, int Height, byte[] Rgba) Decode(byte[] file)
    {
        int width = 0, height = 0, depth = 0, kind = 0;
        byte[] palette = [], transparency = [];
        using var packed = new MemoryStream();
        for (var at = _signature.Length; ;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var name = file.AsSpan(at + 4, 4);
            var content = file.AsSpan(at + 8, length);
            if (BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)) != Crc(file.AsSpan(at + 4, length + 4)))
            {
                throw new InvalidDataException("A part of the file is damaged.");
            }

            if (name.SequenceEqual("IHDR"u8))
            {
                (width, height) = (BinaryPrimitives.ReadInt32BigEndian(content), BinaryPrimitives.ReadInt32BigEndian(content[4..]));
                (depth, kind) = (content[8], content[9]);
                if (width <= 0 || height <= 0 || content[12] != 0)
                {
                    throw new InvalidDataException("No size, or interlaced.");
                }
            }
            else if (name.SequenceEqual("PLTE"u8))
            {
                palette = content.ToArray();
            }
            else if (name.SequenceEqual("tRNS"u8))
            {
                transparency = content.ToArray();
            }
            else if (name.SequenceEqual("IDAT"u8))
            {
                packed.Write(content);
            }
            else if (name.SequenceEqual("IEND"u8))
            {
                break;
            }

            at += length + 12;
        }

        packed.Position = 0;
        var samples = kind switch
        {
            0 or 3 => 1,
            2 => 3,
            4 => 2,
            6 => 4,
            _ => throw new InvalidDataException("A colour type that does not exist."),
        };
        var rows = Unfilter(packed, height, ((width * samples * depth) + 7) / 8, Math.Max(1, samples * depth / 8));
        var rgba = new byte[checked(width * height * 4)];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = ((y * width) + x) * 4;
                var first = Sample(rows[y], x * samples, depth, kind != 3);
                (rgba[at], rgba[at + 1], rgba[at + 2], rgba[at + 3]) = kind switch
                {
                    0 => (first, first, first, (byte)255),
                    2 => (first, Sample(rows[y], (x * 3) + 1, depth, true), Sample(rows[y], (x * 3) + 2, depth, true), (byte)255),
                    3 => (palette[first * 3], palette[(first * 3) + 1], palette[(first * 3) + 2],
                        first < transparency.Length ? transparency[first] : (byte)255),
                    4 => (first, first, first, Sample(rows[y], (x * 2) + 1, depth, true)),
                    _ => (first, Sample(rows[y], (x * 4) + 1, depth, true), Sample(rows[y], (x * 4) + 2, depth, true),
                        Sample(rows[y], (x * 4) + 3, depth, true)),
                };
            }
        }

        return (width, height, rgba);
    }

    private static byte Sample(byte[] row, int index, int depth, bool scales)
    {
        if (depth >= 8)
        {
            return row[index * depth / 8];
        }

        var value = row[index * depth / 8] >> (8 - depth - (index * depth % 8)) & ((1 << depth) - 1);
        return (byte)(scales ? value * 255 / ((1 << depth) - 1) : value);
    }

    private static byte[][] Unfilter(Stream packed, int height, int length, int pixel)
    {
        using var zlib = new ZLibStream(packed, CompressionMode.Decompress);
        var rows = new byte[height][];
        var above = new byte[length];
        for (var y = 0; y < height; y++)
        {
            var filter = zlib.ReadByte();
            var row = new byte[length];
            zlib.ReadExactly(row);
            for (var i = 0; i < length; i++)
            {
                var left = i < pixel ? 0 : row[i - pixel];
                var corner = i < pixel ? 0 : above[i - pixel];
                row[i] += (byte)(filter switch
                {
                    0 => 0,
                    1 => left,
                    2 => above[i],
                    3 => (left + above[i]) / 2,
                    4 => Paeth(left, above[i], corner),
                    _ => throw new InvalidDataException("A filter that does not exist."),
                });
            }

            above = rows[y] = row;
        }

        return rows;
    }

    private static int Paeth(int left, int above, int corner)
    {
        var (toLeft, toAbove, toCorner) = (Math.Abs(above - corner), Math.Abs(left - corner), Math.Abs(left + above - (2 * corner)));
        return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
    }

    private static void WriteChunk(Stream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        var chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        name.CopyTo(chunk.AsSpan(4));
        content.CopyTo(chunk.AsSpan(8));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(content.Length + 8), Crc(chunk.AsSpan(4, content.Length + 4)));
        file.Write(chunk);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
            }
        }

        return ~crc;
    }
}
