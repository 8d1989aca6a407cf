using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Data;

/// <summary>A column of images as vectors of pixels: Byte, or Single up to a largest value; channel by channel, row by row.</summary>
internal static class PixelColumn
{
    /// <summary>The images that a column's type says it holds, or null where it says only how many numbers there are.</summary>
    public static ImageShape? ShapeOf(ColumnShape shape)
        => shape.Dimensions is [> 0 and var channels, > 0 and var height, > 0 and var width] ? new ImageShape(channels, height, width) : null;

    /// <summary>Throws unless a column holds pixels, of images of a size where one is given and the column's is known.</summary>
    /// <param name="name">The column.</param>
    /// <param name="shape">What the data have under this name.</param>
    /// <param name="images">The encoder's; null while there is none.</param>
    public static void Check(string name, ColumnShape shape, ImageShape? images)
    {
        var isPixels = shape.Kind == SchemaShape.Column.VectorKind.Vector && !shape.IsKey
            && (shape.ItemType == NumberDataViewType.Byte || shape.ItemType == NumberDataViewType.Single);
        var expected = images is null ? "Vector<Byte> or Vector<Single> of [channels, height, width]"
            : $"Vector<Byte> or Vector<Single> of {images}";
        if (!isPixels)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, shape.ToString(),
                "Give images as vectors of pixels, channel by channel: mlContext.Transforms.ExtractPixels(…), ssl.Data.LoadIdx or LoadCifarBinary.");
        }
        if (shape.Dimensions is not { } dimensions)
            return;
        if (images is null && ShapeOf(shape) is null)
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, Described(shape),
                "The type must say channels, height and width, as [VectorType(3, 32, 32)] does; or set Encoder to one made for the images.");
        }
        if (images is not null && (ShapeOf(shape) is { } actual ? actual != images : dimensions.Aggregate(1L, (a, b) => a * b) != images.Length))
        {
            throw Diagnostics.Check.SchemaMismatch("input", name, expected, Described(shape),
                "Resize the images, or take an encoder that is made for them.");
        }
    }

    /// <summary>Gets the getter of a column.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A column that <see cref="Check"/> accepts.</param>
    /// <param name="maximum">The value of a white pixel in a Single column.</param>
    /// <returns>Writes the row's pixels; false where one of them is not a number.</returns>
    public static PixelReader Open(DataViewRow row, DataViewSchema.Column column, float maximum)
    {
        if (((VectorDataViewType)column.Type).ItemType == NumberDataViewType.Byte)
        {
            var getBytes = row.GetGetter<VBuffer<byte>>(column);
            VBuffer<byte> bytes = default;
            return target =>
            {
                getBytes(ref bytes);
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
            if (dense.Length != numbers.Length)
                dense = new float[numbers.Length];
            numbers.CopyTo(dense);
            return ToBytes(dense, target, maximum);
        };
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

    private static string Described(ColumnShape shape) => $"Vector<{shape.ItemType}, {string.Join(", ", shape.Dimensions!)}>";
}

/// <summary>Writes the pixels of the row on which the input stands.</summary>
/// <param name="target">As long as an image.</param>
/// <returns>False where one of them is not a number.</returns>
internal delegate bool PixelReader(Span<byte> target);
