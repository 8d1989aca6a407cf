using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Data;

/// <summary>The rows of several views behind each other; each is opened when its rows are asked for, and one at a time.</summary>
internal sealed class AppendedViews : IDataView
{
    private readonly (string Name, IDataView View)[] _parts;

    /// <param name="parts">At least one; all with the same columns. The name is for sentences.</param>
    /// <exception cref="ArgumentException">The columns of one differ from those of the first.</exception>
    public AppendedViews(IReadOnlyList<(string Name, IDataView View)> parts)
    {
        _parts = [.. parts];
        Schema = _parts[0].View.Schema;
        foreach (var (name, view) in _parts.Skip(1))
        {
            if (Difference(Schema, view.Schema) is { } difference)
                throw new ArgumentException($"The files must have the same columns, but '{name}' differs from '{_parts[0].Name}': {difference}.", nameof(parts));
        }
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _parts.Aggregate((long?)0, (sum, part) => sum + part.View.GetRowCount());

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this, [.. columnsNeeded.Select(column => column.Index)]);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private static string? Difference(DataViewSchema first, DataViewSchema other)
    {
        if (first.Count != other.Count)
            return $"it has {other.Count} in place of {first.Count}";
        for (var i = 0; i < first.Count; i++)
        {
            // Keys of other files may stand for other values.
            if (first[i].Name != other[i].Name || !first[i].Type.Equals(other[i].Type))
                return $"column {i} is '{other[i].Name}' of {other[i].Type} in place of '{first[i].Name}' of {first[i].Type}";
        }
        return null;
    }

    private sealed class Cursor(AppendedViews views, HashSet<int> active) : DataViewRowCursor
    {
        private DataViewRowCursor? _rows;
        private int _part = -1;
        private long _position = -1;
        private bool _hasEnded;

        public override long Position => _hasEnded ? -1 : _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => views.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override bool MoveNext()
        {
            while (!_hasEnded)
            {
                if (_rows?.MoveNext() == true)
                {
                    _position++;
                    return true;
                }
                _rows?.Dispose();
                _rows = null;
                _hasEnded = ++_part == views._parts.Length;
                if (!_hasEnded)
                {
                    var schema = views._parts[_part].View.Schema;
                    _rows = views._parts[_part].View.GetRowCursor(active.Select(index => schema[index]));
                }
            }
            return false;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!active.Contains(column.Index))
                throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' is not active in this cursor: ask for it when the cursor is made.");
            if (column.Type.RawType != typeof(TValue))
                throw new InvalidOperationException($"Column '{column.Name}' has values of {column.Type.RawType.Name}, not {typeof(TValue).Name}.");
            var (of, get) = (-1, (ValueGetter<TValue>?)null);
            return (ref TValue value) =>
            {
                var rows = _rows ?? throw new InvalidOperationException("The cursor is not on a row: call MoveNext, and read while it returns true.");
                if (of != _part)
                    (of, get) = (_part, rows.GetGetter<TValue>(rows.Schema[column.Index]));
                get!(ref value);
            };
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _rows?.Dispose();
            _hasEnded = true;
            base.Dispose(disposing);
        }
    }
}
