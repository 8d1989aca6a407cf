using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Keeps columns in memory, each from the first time that it is asked for.</summary>
internal sealed class CacheDataView : IDataView
{
    private readonly IDataView _source;
    private readonly Column[] _columns;
    private readonly Lock _lock = new();
    private long _rowCount = -1;

    public CacheDataView(IHostEnvironment env, IDataView source, string[] prefetch)
    {
        _source = source;
        _columns = new Column[source.Schema.Count];
        var wanted = (prefetch ?? []).Select(name => env.FindColumn(source.Schema, name, parameter: "prefetch")).ToArray();
        if (wanted.Length > 0)
        {
            Fill(wanted);
        }
    }

    public bool CanShuffle => true;
    public DataViewSchema Schema => _source.Schema;

    public long? GetRowCount() => Volatile.Read(ref _rowCount) is >= 0 and var count ? count : _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        var active = Prepare(columnsNeeded);
        return new Cursor(this, active, Order(rand), 0, _rowCount, 0);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        var active = Prepare(columnsNeeded);
        var order = Order(rand);
        var parts = (int)Math.Clamp(_rowCount, 1, Math.Max(1, n));
        long Start(int part) => _rowCount * part / parts;
        return [.. Enumerable.Range(0, parts).Select(i => new Cursor(this, active, order, Start(i), Start(i + 1), i))];
    }

    private bool[] Prepare(IEnumerable<DataViewSchema.Column> columnsNeeded)
    {
        var active = Getters.Active(columnsNeeded, Schema);
        Fill([.. Schema.Where(column => active[column.Index])]);
        return active;
    }

    private int[] Order(Random rand)
    {
        if (rand == null)
        {
            return null;
        }

        var order = Enumerable.Range(0, checked((int)_rowCount)).ToArray();
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = rand.Next(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }

        return order;
    }

    private void Fill(DataViewSchema.Column[] wanted)
    {
        lock (_lock)
        {
            var missing = wanted.Where(column => _columns[column.Index] == null).ToArray();
            if (missing.Length == 0 && _rowCount >= 0)
            {
                return;
            }

            using var cursor = _source.GetRowCursor(missing);
            var filled = missing.Select(column => Column.Create(cursor, column)).ToArray();
            long rows = 0;
            for (; cursor.MoveNext(); rows++)
            {
                foreach (var column in filled)
                {
                    column.Append();
                }
            }

            for (var i = 0; i < missing.Length; i++)
            {
                filled[i].Close();
                _columns[missing[i].Index] = filled[i];
            }

            Volatile.Write(ref _rowCount, rows);
        }
    }

    private abstract class Column
    {
        public static Column Create(DataViewRow row, DataViewSchema.Column column) =>
            Getters.Call<Column>((Func<DataViewRow, DataViewSchema.Column, Column>)Create<int>, column.Type.RawType, row, column);

        public abstract void Append();
        public abstract void Close();
        public abstract Delegate MakeGetter(Cursor cursor);

        private static Column Create<T>(DataViewRow row, DataViewSchema.Column column) => new Column<T>(row.GetGetter<T>(column));
    }

    private sealed class Column<T>(ValueGetter<T> source) : Column
    {
        private readonly List<T> _values = [];
        private ValueGetter<T> _source = source;

        public override void Append()
        {
            // A new value each time: vectors get arrays of their own.
            T value = default;
            _source(ref value);
            _values.Add(value);
        }

        public override void Close() => _source = null;

        public override Delegate MakeGetter(Cursor cursor)
        {
            var copy = Getters.CopierOf<T>();
            return (ValueGetter<T>)((ref T destination) =>
            {
                var value = _values[cursor.Row];
                copy(in value, ref destination);
            });
        }
    }

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly CacheDataView _parent;
        private readonly bool[] _active;
        private readonly Delegate[] _getters;
        private readonly int[] _order;
        private readonly long _first;
        private readonly long _end;
        private long _position = -1;

        public Cursor(CacheDataView parent, bool[] active, int[] order, long first, long end, long batch)
        {
            _parent = parent;
            _active = active;
            _order = order;
            _first = first;
            _end = end;
            Batch = batch;
            _getters = new Delegate[active.Length];
            for (var i = 0; i < active.Length; i++)
            {
                _getters[i] = active[i] ? parent._columns[i].MakeGetter(this) : null;
            }
        }

        public int Row
        {
            get
            {
                Contracts.Check(
                    null,
                    _position >= 0 && _first + _position < _end,
                    "Values cannot be fetched unless the cursor returned true from the last call to MoveNext");
                var row = (int)(_first + _position);
                return _order == null ? row : _order[row];
            }
        }

        public override DataViewSchema Schema => _parent.Schema;
        public override long Position => _position;
        public override long Batch { get; }

        public override bool MoveNext()
        {
            if (_first + _position + 1 < _end)
            {
                _position++;
                return true;
            }

            _position = -1;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Getters.CheckActive(column.Index < _active.Length && _active[column.Index]);
            return Getters.Cast<TValue>(_getters[column.Index], column);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)Row, 0);
    }
}
