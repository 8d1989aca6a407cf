using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Rows;

/// <summary>
/// A column of images: decoded ones of any size, or vectors of pixels (Byte, or Single up to a largest value; channel by channel).
/// </summary>
internal static class PixelColumn
{
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
            && (shape.ItemType == NumberDataViewType.Byte || shape.ItemType == NumberDataViewType.Single);
        var expected = images is null ? "Image, Vector<Byte> or Vector<Single> of [channels, height, width]"
            : $"Image, Vector<Byte> or Vector<Single> of {images}";
        if (!isPixels)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, shape.ToString(),
                "Load them first, mlContext.Transforms.LoadImages(…), ssl.Data.LoadIdx or LoadCifarBinary; or give vectors of pixels, channel by channel.");
        }
        if (shape.Dimensions is not { } dimensions)
            return;
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
    /// <param name="maximum">The value of a white pixel in a Single column.</param>
    /// <returns>Writes the row's pixels; false where one of them is not a number, or where there is no image.</returns>
    public static PixelReader Open(DataViewRow row, DataViewSchema.Column column, ImageShape shape, float maximum)
    {
        if (column.Type is ImageDataViewType)
            return LoadedImageColumn.Open(row, column, shape);
        if (((VectorDataViewType)column.Type).ItemType == NumberDataViewType.Byte)
        {
            var getBytes = row.GetGetter<VBuffer<byte>>(column);
            VBuffer<byte> bytes = default;
            return target =>
            {
                getBytes(ref bytes);
                if (bytes.Length == 0)
                    return false;
                RequireLength(column.Name, bytes.Length, shape);
                bytes.CopyTo(target);
                return true;
            };
        }
        var getNumbers = row.GetGetter<VBuffer<float>>(column);
        VBuffer<float> numbers = default;
        float[] dense = [];
        return target =>
        {
            getNumbers(ref numbers);
            if (numbers.Length == 0)
                return false;
            RequireLength(column.Name, numbers.Length, shape);
            if (dense.Length != numbers.Length)
                dense = new float[numbers.Length];
            numbers.CopyTo(dense);
            return ToBytes(dense, target, maximum);
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
            throw Diagnostics.Check.SchemaMismatch("input", name, $"Vector<Byte> or Vector<Single> of {images}", shape.ToString(),
                "Images give 1 channel (gray), 3 (red, green, blue) or 4 (and alpha): take an encoder of so many.");
        }
    }

    private static string Described(ColumnShape shape) => $"Vector<{shape.ItemType}, {string.Join(", ", shape.Dimensions!)}>";
}

/// <summary>Writes the pixels of the row on which the input stands.</summary>
/// <param name="target">As long as an image.</param>
/// <returns>False where one of them is not a number.</returns>
internal delegate bool PixelReader(Span<byte> target);
