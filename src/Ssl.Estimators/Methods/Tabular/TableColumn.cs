using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Methods;

/// <summary>The rows of a step as a tabular method needs them.</summary>
internal static class TableColumn
{
    /// <summary>The one table batch of a step.</summary>
    /// <exception cref="ArgumentException">There are more or fewer columns, or it holds something else.</exception>
    public static TableBatch Of(IReadOnlyList<Batch> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count != 1)
            throw new ArgumentException($"The method trains on 1 batch of table rows, got {columns.Count}.", nameof(columns));
        return columns[0] as TableBatch
            ?? throw new ArgumentException($"The batch must be a {nameof(TableBatch)}, got {columns[0]?.GetType().Name ?? "null"}.",
                nameof(columns));
    }
}
