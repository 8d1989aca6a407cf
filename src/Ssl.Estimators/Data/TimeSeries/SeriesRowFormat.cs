using System.Runtime.InteropServices;
using Microsoft.ML;

namespace Ssl.Estimators.Data;

/// <summary>A column of time series. A row without a single value, or with too few timestamps, is unusable.</summary>
/// <param name="column">The column.</param>
/// <param name="scaling">Learned of the training data.</param>
/// <param name="minimumLength">The fewest timestamps of a usable series.</param>
internal sealed class SeriesRowFormat(string column, SeriesScaling scaling, int minimumLength) : RowFormat
{
    public override IReadOnlyList<string> Columns => [column];

    public override string Needed => minimumLength > 1 ? $"a series of {minimumLength} timestamps" : "a value";

    public override RowStore[] NewStores() => [new SeriesRows(scaling, minimumLength)];

    public override Func<RowStore[], bool> Open(DataViewRow row)
    {
        var read = Reader(row, column, scaling.Channels);
        return stores =>
        {
            var series = read();
            if (!IsUsable(series.Span, scaling.Channels, minimumLength))
                return false;
            ((SeriesRows)stores[0]).Add(series.Span);
            return true;
        };
    }

    /// <summary>Learns the scale of a column's usable series.</summary>
    public static SeriesScaling Learn(IDataView data, string column, int channels, int minimumLength, CancellationToken cancellationToken)
    {
        var learner = new SeriesScaling.Learner(channels);
        using var cursor = data.GetRowCursor([data.Schema[column]]);
        var read = Reader(cursor, column, channels);
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var series = read();
            if (IsUsable(series.Span, channels, minimumLength))
                learner.Add(series.Span);
        }
        return learner.Learned();
    }

    /// <summary>Throws where a series cannot be cut into its channels.</summary>
    public static void RequireChannels(string column, int values, int channels)
    {
        if (values % channels != 0)
        {
            throw new InvalidOperationException($"A series in column '{column}' has {values} values, which {channels} channels cannot share evenly. "
                + "Give every channel of a series the same number of timestamps, one channel after the other.");
        }
    }

    private static bool IsUsable(ReadOnlySpan<float> series, int channels, int minimumLength)
    {
        if (series.Length < (long)channels * minimumLength)
            return false;
        foreach (var value in series)
        {
            if (float.IsFinite(value))
                return true;
        }
        return false;
    }

    private static Func<ReadOnlyMemory<float>> Reader(DataViewRow row, string column, int channels)
    {
        var read = NumberColumns.Open(row, row.Schema[column]);
        var values = new List<float>();
        var memory = new float[16];
        return () =>
        {
            values.Clear();
            read(values);
            RequireChannels(column, values.Count, channels);
            if (memory.Length < values.Count)
                memory = new float[Math.Max(values.Count, 2 * memory.Length)];
            CollectionsMarshal.AsSpan(values).CopyTo(memory);
            return memory.AsMemory(0, values.Count);
        };
    }
}
