using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Methods;

/// <summary>The column of a step as a time-series method needs it.</summary>
internal static class SeriesColumn
{
    /// <summary>The only column, which must hold time series.</summary>
    /// <exception cref="ArgumentException">There are more or fewer columns, or it holds something else.</exception>
    public static SeriesBatch Of(IReadOnlyList<Batch> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count != 1)
            throw new ArgumentException($"The method trains on 1 column, got {columns.Count}.", nameof(columns));
        return columns[0] as SeriesBatch
            ?? throw new ArgumentException($"Column 0 must be a {nameof(SeriesBatch)}, got {columns[0]?.GetType().Name ?? "null"}.",
                nameof(columns));
    }
}
