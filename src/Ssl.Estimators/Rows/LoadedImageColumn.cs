using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Rows;

/// <summary>The image in a row cannot be decoded; the message names it.</summary>
internal sealed class UnreadableImageException(string message, Exception? inner = null) : InvalidOperationException(message, inner);

/// <summary>A column of images as <c>LoadImages</c> makes it: of any size, decoded when it is read.</summary>
internal static class LoadedImageColumn
{
    private const int NamedTexts = 3;

    /// <summary>Whether it is one.</summary>
    public static bool Is(ColumnShape shape) => shape.Kind == SchemaShape.Column.VectorKind.Scalar && shape.ItemType is ImageDataViewType;

    /// <summary>The columns to read along, so that an image which cannot be decoded can be named: the texts, among them its path.</summary>
    public static IEnumerable<string> Names(DataViewSchema schema)
        => schema.Where(column => !column.IsHidden && column.Type is TextDataViewType).Select(column => column.Name);

    /// <summary>Gets the getter of a column.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A column that <see cref="Is"/> knows.</param>
    /// <param name="shape">What the images are brought to.</param>
    /// <returns>
    /// Writes the row's pixels; false where there is no image (an empty path). Throws <see cref="UnreadableImageException"/> where the file
    /// is missing, damaged or cut off. Tells of an image made in memory that ends in nothing, as one of a cut stream does.
    /// </returns>
    public static PixelReader Open(DataViewRow row, DataViewSchema.Column column, ImageShape shape)
    {
        var get = row.GetGetter<MLImage>(column);
        var names = row.Schema.Where(c => c.Type is TextDataViewType && !c.IsHidden && row.IsColumnActive(c))
            .Select(c => (c.Name, Get: row.GetGetter<ReadOnlyMemory<char>>(c))).ToArray();
        var scaler = new ImageScaler(shape);
        MLImage image = null!;
        var cut = $"an image in '{column.Name}' that ends in rows without any content, as one of a file that was cut off does";
        return (Span<byte> target, out string? notice) =>
        {
            notice = null;
            try
            {
                get(ref image);
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                image = null!;
                // LoadImages' own words name a parameter of its decoder.
                throw Unreadable(e is ArgumentException ? "its contents are not those of an image" : e.Message.TrimEnd('.'), e);
            }
            if (image is null)
                return false;
            if (FaultOf(image) is { } fault)
                throw Unreadable(fault, null);
            if (EndsInNothing(image))
                notice = cut;
            scaler.Write(image, target);
            return true;
        };

        UnreadableImageException Unreadable(string why, Exception? inner)
            => new($"The image of column '{column.Name}' in row {row.Position}{Named()} cannot be read: {why}. Repair or remove the file.", inner);

        string Named()
        {
            ReadOnlyMemory<char> text = default;
            var texts = names.Select(name =>
            {
                name.Get(ref text);
                return text.IsEmpty ? "" : $"{name.Name} '{text}'";
            }).Where(named => named.Length > 0).Take(NamedTexts).ToArray();
            return texts.Length == 0 ? "" : $" ({string.Join(", ", texts)})";
        }
    }

    /// <summary>Why a decoded image cannot be taken; null where it can.</summary>
    public static string? FaultOf(MLImage image)
    {
        if (4L * image.Width * image.Height > Array.MaxLength)
            return $"it has {image.Width} x {image.Height} pixels, more than one array holds";
        // The decoder of a cut file gives what it has, and nothing for the rest. LoadImages says where the image is from.
        return IsOfFile(image) && ImageEnd.IsMissing(image.Tag) ? "the file ends before the image does" : null;
    }

    private static bool IsOfFile(MLImage image) => image.Tag is { Length: > 0 } path && File.Exists(path);

    // Made in memory; opaque where it begins, and bytes of 0, transparency among them, where it ends; or nothing but those.
    private static bool EndsInNothing(MLImage image)
    {
        if (IsOfFile(image))
            return false;
        var pixels = image.Pixels;
        var line = image.Width * 4;
        if (pixels[^line..].ContainsAnyExcept((byte)0))
            return false;
        for (var alpha = 3; alpha < line; alpha += 4)
        {
            if (pixels[alpha] != byte.MaxValue)
                return !pixels.ContainsAnyExcept((byte)0);
        }
        return true;
    }
}
