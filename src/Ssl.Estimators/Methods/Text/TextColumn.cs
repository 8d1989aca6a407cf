using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Methods;

/// <summary>The columns of a step as a text method needs them.</summary>
internal static class TextColumn
{
    /// <summary>Column <paramref name="index"/> of exactly <paramref name="count"/> token batches.</summary>
    /// <exception cref="ArgumentException">There are more or fewer columns, or one holds something else.</exception>
    public static TokenBatch Of(IReadOnlyList<Batch> columns, int index, int count)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Count != count)
            throw new ArgumentException($"The method trains on {count} column{(count == 1 ? "" : "s")}, got {columns.Count}.",
                nameof(columns));
        return columns[index] as TokenBatch
            ?? throw new ArgumentException($"Column {index} must be a {nameof(TokenBatch)}, got {columns[index]?.GetType().Name ?? "null"}.",
                nameof(columns));
    }
}
