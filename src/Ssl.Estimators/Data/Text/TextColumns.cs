using Microsoft.ML;

namespace Ssl.Estimators.Data;

/// <summary>Reads text columns of a view.</summary>
internal static class TextColumns
{
    /// <summary>All texts of the columns, row by row; the memory of one is only valid until the next is asked for.</summary>
    public static IEnumerable<ReadOnlyMemory<char>> Read(IDataView data, IReadOnlyList<string> columns, CancellationToken cancellationToken)
    {
        using var reader = new Cursor(data, columns);
        while (reader.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var i = 0; i < columns.Count; i++)
                yield return reader[i];
        }
    }

    /// <summary>A cursor over the text columns alone.</summary>
    internal sealed class Cursor : IDisposable
    {
        private readonly DataViewRowCursor _cursor;
        private readonly ValueGetter<ReadOnlyMemory<char>>[] _getters;
        private readonly ReadOnlyMemory<char>[] _texts;
        private readonly ValueGetter<float>? _labelGetter;
        private float _label;

        public Cursor(IDataView data, IReadOnlyList<string> columns, LabelColumn? label = null)
        {
            var needed = columns.Select(name => data.Schema[name]).ToArray();
            var all = label is null ? needed : [.. needed, data.Schema[label.Name]];
            _cursor = data.GetRowCursor(all.DistinctBy(c => c.Index));
            _labelGetter = label?.CreateGetter(_cursor, data.Schema[label.Name]);
            _getters = [.. needed.Select(column => _cursor.GetGetter<ReadOnlyMemory<char>>(column))];
            _texts = new ReadOnlyMemory<char>[columns.Count];
        }

        public ReadOnlyMemory<char> this[int column] => _texts[column];

        /// <summary>The row's label; meaningless without a label column.</summary>
        public float Label => _label;

        public bool MoveNext()
        {
            if (!_cursor.MoveNext())
                return false;
            for (var i = 0; i < _getters.Length; i++)
                _getters[i](ref _texts[i]);
            _labelGetter?.Invoke(ref _label);
            return true;
        }

        public void Dispose() => _cursor.Dispose();
    }
}
