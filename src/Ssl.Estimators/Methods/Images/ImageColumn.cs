using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Methods;

/// <summary>The column of a step as an image method needs it.</summary>
internal static class ImageColumn
{
    /// <summary>The only column, which must hold images.</summary>
    /// <exception cref="ArgumentException">There are more or fewer columns, or it holds something else.</exception>
    public static ImageBatch Of(IReadOnlyList<Batch> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count != 1)
            throw new ArgumentException($"The method trains on 1 column, got {columns.Count}.", nameof(columns));
        return columns[0] as ImageBatch
            ?? throw new ArgumentException($"Column 0 must be an {nameof(ImageBatch)}, got {columns[0]?.GetType().Name ?? "null"}.",
                nameof(columns));
    }
}
