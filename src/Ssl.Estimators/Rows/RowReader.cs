using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Rows;

/// <summary>Reads columns of any type as <see cref="RawRow"/>s.</summary>
internal static class RowReader
{
    /// <summary>Gets the getters of columns.</summary>
    /// <param name="input">A row or cursor in which they are active.</param>
    /// <param name="columns">Their names; columns of numbers, booleans, times, texts or keys, single or vectors.</param>
    /// <returns>Reads the row on which the input now stands into a buffer, where it is valid until another is read into it.</returns>
    public static Func<RowBuffer, RawRow> Open(DataViewRow input, IReadOnlyList<string> columns)
    {
        var all = columns.Select(name => input.Schema[name]).ToArray();
        Action<List<ReadOnlyMemory<char>>>[] texts = [.. all.Where(IsText).Select(column => TextColumns.OpenCells(input, column))];
        Action<List<double>>[] numbers = [.. all.Where(column => !IsText(column)).Select(column => NumberColumns.Open(input, column))];
        var (textCells, cells) = (new List<ReadOnlyMemory<char>>(), new List<double>());
        return buffer =>
        {
            textCells.Clear();
            foreach (var read in texts)
                read(textCells);
            cells.Clear();
            foreach (var read in numbers)
                read(cells);
            return new RawRow(buffer.Hold(cells), buffer.Hold(textCells));
        };
    }

    /// <summary>All rows of a view; the memory of one is only valid until the next is asked for.</summary>
    /// <param name="data">Has the columns.</param>
    /// <param name="columns">Their names; columns that <see cref="Open"/> reads.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    public static IEnumerable<RawRow> All(IDataView data, IReadOnlyList<string> columns, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var row in Groups(data, [columns]))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return row[0];
        }
    }

    /// <summary>All rows of a view, each as one <see cref="RawRow"/> a group of columns; their memory is only valid until the next row is asked
    /// for.</summary>
    /// <param name="data">Has the columns.</param>
    /// <param name="groups">Names of columns that <see cref="Open"/> reads.</param>
    public static IEnumerable<RawRow[]> Groups(IDataView data, IReadOnlyList<IReadOnlyList<string>> groups)
    {
        using var cursor = data.GetRowCursor(groups.SelectMany(group => group).Select(name => data.Schema[name]).DistinctBy(column => column.Index));
        var readers = groups.Select(group => (Read: Open(cursor, group), Buffer: new RowBuffer())).ToArray();
        while (cursor.MoveNext())
            yield return Array.ConvertAll(readers, reader => reader.Read(reader.Buffer));
    }

    /// <summary>How many rows a view has; read through where it does not say so.</summary>
    public static long Count(IDataView data, CancellationToken cancellationToken)
    {
        if (data.GetRowCount() is { } known)
            return known;
        using var cursor = data.GetRowCursor([]);
        long count = 0;
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            count++;
        }
        return count;
    }

    private static bool IsText(DataViewSchema.Column column)
        => (column.Type is VectorDataViewType vector ? vector.ItemType : column.Type) is TextDataViewType or KeyDataViewType;
}
