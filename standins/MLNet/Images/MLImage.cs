using Microsoft.ML.Images;

namespace Microsoft.ML.Data;

/// <summary>Specifies the format of the color data for each pixel in the image.</summary>
public enum MLPixelFormat
{
    Unknown,
    Bgra32,
    Rgba32,
}

/// <summary>An image in memory, four bytes a pixel. The real one decodes with Skia; this one reads and writes PNG.</summary>
public sealed class MLImage : IDisposable
{
    private static readonly HashSet<string> _knownExtensions = new(StringComparer.OrdinalIgnoreCase)
    {
        ".bmp", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".astc", ".avif", ".dng", ".heif", ".ktx", ".pkm", ".wbmp", ".webp",
    };

    private readonly MLPixelFormat _format;
    private readonly int _width;
    private readonly int _height;
    private byte[] _pixels;
    private string _tag;

    private MLImage(int width, int height, MLPixelFormat format, byte[] pixels) => (_width, _height, _format, _pixels) = (width, height, format, pixels);

    public int Width => Alive(_width);
    public int Height => Alive(_height);
    public int BitsPerPixel => Alive(32);
    public MLPixelFormat PixelFormat => Alive(_format);
    public ReadOnlySpan<byte> Pixels => Alive(_pixels);

    public string Tag
    {
        get => Alive(_tag);
        set
        {
            Alive(0);
            _tag = value;
        }
    }

    public static MLImage CreateFromStream(Stream imageStream)
    {
        ArgumentNullException.ThrowIfNull(imageStream);
        using var bytes = new MemoryStream();
        imageStream.CopyTo(bytes);
        return Decode(bytes.ToArray()) ?? throw new ArgumentException("Invalid input stream contents", nameof(imageStream));
    }

    public static MLImage CreateFromFile(string imagePath)
    {
        ArgumentNullException.ThrowIfNull(imagePath);
        return (File.Exists(imagePath) ? Decode(File.ReadAllBytes(imagePath)) : null) ?? throw new ArgumentException("Invalid path", nameof(imagePath));
    }

    public static MLImage CreateFromPixels(int width, int height, MLPixelFormat pixelFormat, ReadOnlySpan<byte> imagePixelData)
    {
        if (pixelFormat is not (MLPixelFormat.Bgra32 or MLPixelFormat.Rgba32))
        {
            throw new ArgumentException("Unsupported pixel format", nameof(pixelFormat));
        }

        if (width <= 0)
        {
            throw new ArgumentException("Invalid width value.", nameof(width));
        }

        if (height <= 0)
        {
            throw new ArgumentException("Invalid height value.", nameof(height));
        }

        return imagePixelData.Length == width * height * 4
            ? new MLImage(width, height, pixelFormat, imagePixelData.ToArray())
            : throw new ArgumentException($"Invalid {nameof(imagePixelData)} buffer size.");
    }

    public void Save(string imagePath)
    {
        Alive(0);
        var extension = Path.GetExtension(imagePath);
        if (!_knownExtensions.Contains(extension))
        {
            throw new ArgumentException("Path has invalid image file extension.", nameof(imagePath));
        }

        if (!extension.Equals(".png", StringComparison.OrdinalIgnoreCase))
        {
            throw new NotSupportedException($"The stand-in for MLImage writes PNG only, not '{extension}'.");
        }

        File.WriteAllBytes(imagePath, Png.Encode(_width, _height, Rgba()));
    }

    public void Dispose() => _pixels = null;

    private static MLImage Decode(byte[] bytes)
    {
        if (!Png.TryDecode(bytes, out var width, out var height, out var rgba))
        {
            return null;
        }

        // As Skia has it: blue first, and colours multiplied by their alpha.
        for (var i = 0; i < rgba.Length; i += 4)
        {
            var alpha = rgba[i + 3];
            (rgba[i], rgba[i + 1], rgba[i + 2]) = (Times(rgba[i + 2], alpha), Times(rgba[i + 1], alpha), Times(rgba[i], alpha));
        }

        return new MLImage(width, height, MLPixelFormat.Bgra32, rgba);
    }

    private static byte Times(byte color, byte alpha) => (byte)((color * alpha + 127) / 255);

    private byte[] Rgba()
    {
        var rgba = (byte[])_pixels.Clone();
        for (var i = 0; i < rgba.Length; i += 4)
        {
            if (_format == MLPixelFormat.Bgra32)
            {
                (rgba[i], rgba[i + 2]) = (rgba[i + 2], rgba[i]);
            }

            for (var c = 0; c < 3 && rgba[i + 3] is > 0 and < 255; c++)
            {
                rgba[i + c] = (byte)Math.Min(255, (rgba[i + c] * 255 + rgba[i + 3] / 2) / rgba[i + 3]);
            }
        }

        return rgba;
    }

    private T Alive<T>(T value) => _pixels == null ? throw new InvalidOperationException("Object is disposed.") : value;
}
