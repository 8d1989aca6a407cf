using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A run of rows: after the first <paramref name="skip"/>, at most <paramref name="take"/>.</summary>
internal sealed class SkipTakeDataView(IDataView input, long skip, long take) : IDataView
{
    public bool CanShuffle => false;
    public DataViewSchema Schema => input.Schema;

    public long? GetRowCount() => input.GetRowCount() is { } count ? Math.Clamp(count - skip, 0, take) : null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        var needed = columnsNeeded.ToArray();
        return new Cursor(input.GetRowCursor(needed), Getters.Active(needed, Schema), skip, take);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(DataViewRowCursor input, bool[] active, long skip, long take) : ForwardingCursor(input, active)
    {
        private long _position = -1;
        private bool _started;
        private bool _done;

        public override long Position => _position;

        public override bool MoveNext()
        {
            for (var left = _started ? 0 : skip; left > 0 && !_done; left--)
            {
                _done = !Input.MoveNext();
            }

            _started = true;
            if (!_done && _position + 1 < take && Input.MoveNext())
            {
                _position++;
                return true;
            }

            _done = true;
            _position = -1;
            return false;
        }
    }
}

/// <summary>A view that is always read in its own order, by one cursor.</summary>
internal sealed class SequentialDataView(IDataView input) : IDirectDataView
{
    public bool CanShuffle => false;
    public DataViewSchema Schema => input.Schema;

    public long? GetRowCount() => input.GetRowCount();
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        input.GetRowCursor(columnsNeeded);
    public (DataViewRowCursor Cursor, bool Computes) GetDirectCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand) =>
        WorkerCursor.Direct(input, columnsNeeded, null);
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded)];
}

/// <summary>Rows drawn at random from a pool that is refilled from the source.</summary>
internal sealed class ShufflingDataView(IDataView input, int poolRows, bool shuffleSource, int seed) : IDataView
{
    public bool CanShuffle => true;
    public DataViewSchema Schema => input.Schema;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        var needed = columnsNeeded.ToArray();
        rand ??= new TauswortheHybrid((uint)seed);
        var source = input.GetRowCursor(needed, shuffleSource ? new TauswortheHybrid(rand) : null);
        return poolRows == 1 ? source : new Cursor(source, Getters.Active(needed, Schema), poolRows, rand);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly DataViewRowCursor _input;
        private readonly int _poolRows;
        private readonly Random _rand;
        private readonly Column[] _columns;
        private readonly Column<DataViewRowId> _ids;

        // The pool as a ring of slots: the drawn row is swapped to the front and leaves with the next step.
        private readonly List<int> _ring = [];
        private int _front;
        private int _live;
        private long _position = -1;
        private bool _sourceDone;

        public Cursor(DataViewRowCursor input, bool[] active, int poolRows, Random rand)
        {
            _input = input;
            _poolRows = poolRows;
            _rand = rand;
            _columns = new Column[active.Length];
            foreach (var column in input.Schema)
            {
                if (active[column.Index])
                {
                    _columns[column.Index] = Getters.Call<Column>(
                        (Func<DataViewRow, DataViewSchema.Column, Column>)Column.Create<int>,
                        column.Type.RawType,
                        input,
                        column);
                }
            }

            _ids = new Column<DataViewRowId>(input.GetIdGetter());
        }

        public override DataViewSchema Schema => _input.Schema;
        public override long Position => _position;
        public override long Batch => 0;

        private int Slot
        {
            get
            {
                Contracts.Check(
                    null,
                    _position >= 0,
                    "Values cannot be fetched unless the cursor returned true from the last call to MoveNext");
                return _ring[_front];
            }
        }

        public override bool MoveNext()
        {
            if (_position >= 0)
            {
                _front = (_front + 1) % _ring.Count;
                _live--;
            }

            while (_live < _poolRows && !_sourceDone)
            {
                if (!_input.MoveNext())
                {
                    _sourceDone = true;
                    break;
                }

                Fill(NewSlot());
                _live++;
            }

            if (_live == 0)
            {
                _position = -1;
                return false;
            }

            var drawn = (_front + _rand.Next(Math.Min(_live, _poolRows))) % _ring.Count;
            (_ring[_front], _ring[drawn]) = (_ring[drawn], _ring[_front]);
            _position++;
            return true;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => _columns[column.Index] != null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Getters.CheckActive(column.Index < _columns.Length && _columns[column.Index] != null);
            return Getters.Cast<TValue>(_columns[column.Index].MakeGetter(() => Slot), column);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_ids.MakeGetter(() => Slot);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _input.Dispose();
            }
        }

        private int NewSlot()
        {
            if (_live == _ring.Count)
            {
                // Only while the pool is filled for the first time: the front is still at 0.
                _ring.Add(_ring.Count);
                return _ring[^1];
            }

            return _ring[(_front + _live) % _ring.Count];
        }

        private void Fill(int slot)
        {
            _ids.Fill(slot);
            foreach (var column in _columns)
            {
                column?.Fill(slot);
            }
        }

        private abstract class Column
        {
            public static Column Create<T>(DataViewRow row, DataViewSchema.Column column) => new Column<T>(row.GetGetter<T>(column));

            public abstract void Fill(int slot);
            public abstract Delegate MakeGetter(Func<int> slot);
        }

        private sealed class Column<T>(ValueGetter<T> source) : Column
        {
            private T[] _values = new T[16];

            public override void Fill(int slot)
            {
                if (slot >= _values.Length)
                {
                    Array.Resize(ref _values, Math.Max(slot + 1, _values.Length * 2));
                }

                source(ref _values[slot]);
            }

            public override Delegate MakeGetter(Func<int> slot)
            {
                var copy = Getters.CopierOf<T>();
                return (ValueGetter<T>)((ref T value) => copy(in _values[slot()], ref value));
            }
        }
    }
}
