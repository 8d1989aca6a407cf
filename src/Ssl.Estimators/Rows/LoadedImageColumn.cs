using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Rows;

/// <summary>The image in a row cannot be decoded; the message names it.</summary>
internal sealed class UnreadableImageException(string message, Exception inner) : InvalidOperationException(message, inner);

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
    /// is missing or damaged.
    /// </returns>
    public static PixelReader Open(DataViewRow row, DataViewSchema.Column column, ImageShape shape)
    {
        var get = row.GetGetter<MLImage>(column);
        var names = row.Schema.Where(c => c.Type is TextDataViewType && !c.IsHidden && row.IsColumnActive(c))
            .Select(c => (c.Name, Get: row.GetGetter<ReadOnlyMemory<char>>(c))).ToArray();
        var scaler = new ImageScaler(shape);
        MLImage image = null!;
        return target =>
        {
            try
            {
                get(ref image);
            }
            catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
            {
                image = null!;
                throw new UnreadableImageException($"The image of column '{column.Name}' in row {row.Position}{Named()} cannot be read: "
                    + $"{e.Message.TrimEnd('.')}. Repair or remove the file.", e);
            }
            if (image is null)
                return false;
            scaler.Write(image, target);
            return true;
        };

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
}
