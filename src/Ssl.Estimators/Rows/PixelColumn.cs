using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Rows;

/// <summary>
/// A column of images: decoded ones of any size, or vectors of pixels (Byte, or other numbers up to a largest value; channel by channel).
/// </summary>
internal static class PixelColumn
{
    // Resampling overshoots at edges by so much of the range.
    private const double Tolerance = 0.05;

    private const float ImagesOfBytes = 255;

    /// <summary>The images that a column's type says it holds, or null where it does not say. Decoded ones have three channels.</summary>
    public static ImageShape? ShapeOf(ColumnShape shape)
        => shape.ItemType is ImageDataViewType image
            ? image.Height > 0 && image.Width > 0 ? new ImageShape(3, image.Height, image.Width) : null
            : shape.Dimensions is [> 0 and var channels, > 0 and var height, > 0 and var width]
                ? new ImageShape(channels, height, width) : null;

    /// <summary>Throws unless a column holds pixels, of images of a size where one is given and the column's is known.</summary>
    /// <param name="name">The column.</param>
    /// <param name="shape">What the data have under this name.</param>
    /// <param name="images">The encoder's; null while there is none.</param>
    public static void Check(string name, ColumnShape shape, ImageShape? images)
    {
        if (LoadedImageColumn.Is(shape))
        {
            CheckLoaded(name, shape, images);
            return;
        }
        var isPixels = shape.Kind == SchemaShape.Column.VectorKind.Vector && !shape.IsKey
            && shape.ItemType is NumberDataViewType;
        var expected = $"Image, or a vector of Byte, Single or another number of {(images is null ? "[channels, height, width]" : images)}";
        if (!isPixels)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, shape.ToString(),
                "Load them first, mlContext.Transforms.LoadImages(…), ssl.Data.LoadIdx or LoadCifarBinary; or give vectors of pixels, channel by channel.");
        }
        if (shape.Dimensions is not { } dimensions)
            return;
        // An encoder of as many channels has been made for them.
        if (dimensions is [not (1 or 3 or 4), _, 1 or 3 or 4] && ShapeOf(shape) != images)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, Described(shape), "That looks like [height, width, channels], the colors of "
                + "a pixel side by side. Give the pixels channel by channel: ExtractPixels does with interleavePixelColors: false, its default.");
        }
        if (images is null && ShapeOf(shape) is null)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, Described(shape),
                "The type must say channels, height and width, as [VectorType(3, 32, 32)] does; or set Encoder to one made for the images.");
        }
        if (images is not null
            && (ShapeOf(shape) is { } actual ? actual != images : dimensions.Aggregate(1L, (a, b) => a * b) != images.Length))
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, Described(shape),
                "Resize the images, or take an encoder that is made for them.");
        }
    }

    /// <summary>Gets the getter of a column.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A column that <see cref="Check"/> accepts.</param>
    /// <param name="shape">The encoder's images; decoded ones are brought to it.</param>
    /// <param name="maximum">The value of a white pixel in a column of other numbers than bytes.</param>
    /// <returns>
    /// Writes the row's pixels; false where one of them is not a number, or where there is no image. Tells what is odd in the image, for
    /// <see cref="RowNotices"/>.
    /// </returns>
    public static PixelReader Open(DataViewRow row, DataViewSchema.Column column, ImageShape shape, float maximum)
    {
        if (column.Type is ImageDataViewType)
            return LoadedImageColumn.Open(row, column, shape);
        if (((VectorDataViewType)column.Type).ItemType != NumberDataViewType.Byte)
            return OpenNumbers(row, column, shape, maximum);
        var getBytes = row.GetGetter<VBuffer<byte>>(column);
        VBuffer<byte> bytes = default;
        return (Span<byte> target, out string? notice) =>
        {
            notice = null;
            getBytes(ref bytes);
            if (bytes.Length == 0)
                return false;
            RequireLength(column.Name, bytes.Length, shape);
            bytes.CopyTo(target);
            return true;
        };
    }

    private static PixelReader OpenNumbers(DataViewRow row, DataViewSchema.Column column, ImageShape shape, float maximum)
    {
        var read = NumberColumns.Open(row, column);
        var (numbers, singles) = (new List<double>(), new float[shape.Length]);
        var white = maximum.ToString(CultureInfo.InvariantCulture);
        string beyond = $"pixels in '{column.Name}' outside 0 to {white}, which are cut off (PixelMaximum of the encoder)",
            dark = $"no pixel in '{column.Name}' above 1 although white is {white} (PixelMaximum of the encoder): nothing but black is seen";
        return (Span<byte> target, out string? notice) =>
        {
            notice = null;
            numbers.Clear();
            read(numbers);
            if (numbers.Count == 0)
                return false;
            RequireLength(column.Name, numbers.Count, shape);
            double lowest = 0, highest = 0;
            var areWhole = true;
            for (var i = 0; i < singles.Length; i++)
            {
                singles[i] = (float)numbers[i];
                (lowest, highest) = (Math.Min(lowest, numbers[i]), Math.Max(highest, numbers[i]));
                areWhole &= numbers[i] == Math.Floor(numbers[i]);
            }
            if (lowest < -Tolerance * maximum || highest > (1 + Tolerance) * maximum)
                notice = beyond;
            else if (highest is > 0 and <= 1 && maximum >= ImagesOfBytes && !areWhole)
                notice = dark;
            return ToBytes(singles, target, maximum);
        };
    }

    /// <summary>Throws unless an image of a column whose type says no size has the encoder's.</summary>
    public static void RequireLength(string column, int length, ImageShape shape)
    {
        if (length != shape.Length)
        {
            throw new InvalidOperationException($"An image of column '{column}' has {length} numbers, the encoder takes {shape}: "
                + $"{shape.Length}. Resize the images.");
        }
    }

    /// <summary>Pixels as bytes, rounded and cut off at 0 and <paramref name="maximum"/>; NaN becomes 0.</summary>
    /// <returns>False where one of them was NaN.</returns>
    public static bool ToBytes(ReadOnlySpan<float> numbers, Span<byte> target, float maximum)
    {
        var complete = true;
        var scale = 255 / maximum;
        for (var i = 0; i < target.Length; i++)
        {
            var value = numbers[i] * scale;
            if (float.IsNaN(value))
                (complete, value) = (false, 0);
            target[i] = (byte)(Math.Clamp(value, 0, 255) + 0.5f);
        }
        return complete;
    }

    private static void CheckLoaded(string name, ColumnShape shape, ImageShape? images)
    {
        if (images is null && ShapeOf(shape) is null)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, "images of one size where Encoder is not set", shape.ToString(),
                "Set Encoder: it says to which size the images are brought, as in ImageEncoders.SmallConvNet(imageSize: 32).");
        }
        if (images is not null && !ImageScaler.CanMake(images.Channels))
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, $"a vector of numbers of {images}", shape.ToString(),
                "Images give 1 channel (gray), 3 (red, green, blue) or 4 (and alpha): take an encoder of so many.");
        }
    }

    private static string Described(ColumnShape shape) => $"Vector<{shape.ItemType}, {string.Join(", ", shape.Dimensions!)}>";
}

/// <summary>Writes the pixels of the row on which the input stands.</summary>
/// <param name="target">As long as an image.</param>
/// <param name="notice">What is odd in the image, for <see cref="RowNotices"/>; null for nothing.</param>
/// <returns>False where one of them is not a number.</returns>
internal delegate bool PixelReader(Span<byte> target, out string? notice);
