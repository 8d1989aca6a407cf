using System.Buffers.Binary;
using System.IO.Compression;

namespace Ssl.Estimators.Data;

/// <summary>Images and their classes as bytes in memory.</summary>
/// <param name="Shape">Size of an image.</param>
/// <param name="Pixels">Image after image, channel by channel.</param>
/// <param name="Labels">One class an image, from 0; null where the file has none.</param>
internal sealed record ImageFile(ImageShape Shape, byte[] Pixels, byte[]? Labels)
{
    /// <summary>Number of images.</summary>
    public int Count => Pixels.Length / Shape.Length;
}

/// <summary>Reads image files of well-known benchmarks, packed with gzip or not.</summary>
internal static class ImageFiles
{
    private const int ByteType = 8;

    /// <summary>
    /// An IDX file of bytes: N x height x width (gray) or N x channels x height x width, as MNIST and Fashion-MNIST have it.
    /// </summary>
    /// <param name="imagesPath">The images.</param>
    /// <param name="labelsPath">Their classes; null for none.</param>
    /// <exception cref="FormatException">A file is no IDX file of bytes, is cut off, or the two do not fit together.</exception>
    public static ImageFile ReadIdx(string imagesPath, string? labelsPath)
    {
        var (sizes, pixels) = ReadIdxFile(imagesPath);
        var shape = sizes switch
        {
            [_, var height, var width] => new ImageShape(1, height, width),
            [_, var channels, var height, var width] => new ImageShape(channels, height, width),
            _ => throw new FormatException($"'{imagesPath}' holds an array of {sizes.Length} dimensions; images have 3 (N, height, width) or 4."),
        };
        if (labelsPath is null)
            return new ImageFile(shape, pixels, null);
        var (labelSizes, labels) = ReadIdxFile(labelsPath);
        if (labelSizes.Length != 1 || labelSizes[0] != sizes[0])
            throw new FormatException($"'{labelsPath}' must hold {sizes[0]} classes, got an array of [{string.Join(", ", labelSizes)}].");
        return new ImageFile(shape, pixels, labels);
    }

    /// <summary>Files of CIFAR-10's binary form: one byte of class, then 3 x 32 x 32 bytes, image after image.</summary>
    /// <param name="paths">Read one after the other.</param>
    /// <param name="labelBytes">Bytes before each image of which the last is the class: 1 in CIFAR-10, 2 in CIFAR-100.</param>
    /// <exception cref="FormatException">A file's length is no multiple of an image's.</exception>
    public static ImageFile ReadCifar(IReadOnlyList<string> paths, int labelBytes)
    {
        var shape = new ImageShape(3, 32, 32);
        var record = shape.Length + labelBytes;
        var files = paths.Select(path => (Path: path, Bytes: ReadAll(path))).ToArray();
        foreach (var (path, bytes) in files)
        {
            if (bytes.Length == 0 || bytes.Length % record != 0)
            {
                throw new FormatException($"'{path}' has {bytes.Length} bytes, which is no multiple of the {record} of an image: it is cut off "
                    + "or not in CIFAR's binary form.");
            }
        }
        var count = files.Sum(file => file.Bytes.Length / record);
        var (pixels, labels) = (new byte[checked(count * shape.Length)], new byte[count]);
        var image = 0;
        foreach (var (_, bytes) in files)
        {
            for (var at = 0; at < bytes.Length; at += record, image++)
            {
                labels[image] = bytes[at + labelBytes - 1];
                bytes.AsSpan(at + labelBytes, shape.Length).CopyTo(pixels.AsSpan(image * shape.Length));
            }
        }
        return new ImageFile(shape, pixels, labels);
    }

    private static (int[] Sizes, byte[] Content) ReadIdxFile(string path)
    {
        var bytes = ReadAll(path);
        if (bytes.Length < 4 || bytes[0] != 0 || bytes[1] != 0 || bytes[3] == 0 || bytes.Length < 4 + 4 * bytes[3])
            throw new FormatException($"'{path}' is no IDX file: it does not begin with two zeros, a type and a number of dimensions.");
        if (bytes[2] != ByteType)
            throw new FormatException($"'{path}' holds numbers of IDX type {bytes[2]}; only bytes (type {ByteType}) can be read.");
        var sizes = new int[bytes[3]];
        long count = 1;
        for (var i = 0; i < sizes.Length; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(4 + 4 * i));
            count *= Math.Max(0, sizes[i]);
        }
        var header = 4 + 4 * sizes.Length;
        if (bytes.Length - header != count)
            throw new FormatException($"'{path}' says it holds {string.Join(" x ", sizes)} bytes, but has {bytes.Length - header}: it is cut off or damaged.");
        return (sizes, bytes[header..]);
    }

    // Packed or not: the first two bytes say.
    private static byte[] ReadAll(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes is not [0x1f, 0x8b, ..])
            return bytes;
        try
        {
            using var unpacked = new MemoryStream();
            using (var stream = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress))
                stream.CopyTo(unpacked);
            return unpacked.ToArray();
        }
        catch (InvalidDataException e)
        {
            throw new FormatException($"'{path}' begins like a gzip file but cannot be unpacked: {e.Message}", e);
        }
    }
}
