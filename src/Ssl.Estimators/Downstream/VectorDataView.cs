using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Downstream;

/// <summary>The input, neighbours and scores, searched batch by batch as rows are asked for.</summary>
internal sealed class NeighborDataView(IDataView input, DataViewSchema schema, NearestNeighborIndex index, int batchSize) : IDataView
{
    public DataViewSchema Schema => schema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[schema.Count];
        foreach (var column in columnsNeeded)
        {
            active[column.Index] = true;
        }

        var needed = input.Schema.Where(c => active[c.Index]);
        if (!active[^1] && !active[^2])
        {
            return new PassThroughCursor(input.GetRowCursor(needed, rand), schema, active);
        }

        needed = needed.Append(input.Schema[index.Settings.InputColumn]).DistinctBy(c => c.Index);
        return new NeighborCursor(index, input.GetRowCursor(needed, rand), schema, active, batchSize);
    }

    /// <summary>One cursor: a batch already uses every core, several at once would only compete.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}

/// <summary>Reads a batch of rows ahead, searches for all of them at once and serves them in order.</summary>
internal sealed class NeighborCursor : DataViewRowCursor
{
    private readonly NearestNeighborIndex _index;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly ColumnBuffer?[] _columns;
    private readonly ValueGetter<VBuffer<float>> _queryGetter;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private readonly float[] _queries;
    private readonly long[] _rows;
    private readonly float[] _scores;
    private VBuffer<float> _vector;
    private int _count, _row = -1;
    private long _position = -1;
    private bool _ended;

    public NeighborCursor(NearestNeighborIndex index, DataViewRowCursor input, DataViewSchema schema, bool[] active, int batchSize)
    {
        (_index, _input, _active, Schema) = (index, input, active, schema);
        _columns = [.. input.Schema.Select(c => active[c.Index] ? ColumnBuffer.Create(input, c, batchSize) : null)];
        _queryGetter = input.GetGetter<VBuffer<float>>(input.Schema[index.Settings.InputColumn]);
        _idGetter = input.GetIdGetter();
        _ids = new DataViewRowId[batchSize];
        _batches = new long[batchSize];
        _queries = new float[checked(batchSize * index.Dimension)];
        _rows = new long[batchSize * index.Settings.NumberOfNeighbors];
        _scores = new float[_rows.Length];
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => _row >= 0 ? _batches[_row] : 0;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override bool MoveNext()
    {
        if (_ended)
        {
            return false;
        }

        if (++_row == _count)
        {
            Fill();
            _row = 0;
        }

        if (_count == 0)
        {
            _ended = true;
            (_row, _position) = (-1, -1);
            return false;
        }

        _position++;
        return true;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
        {
            throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
        }

        if (column.Index < _columns.Length)
        {
            var buffer = _columns[column.Index] as ColumnBuffer<TValue> ?? throw new InvalidOperationException(
                $"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
            return (ref TValue value) => buffer.Get(Row(), ref value);
        }

        var k = _index.Settings.NumberOfNeighbors;
        return NeighborGetters.Create<TValue>(_index, column, column.Index == Schema.Count - 1,
            () => _rows.AsMemory(Row() * k, k), () => _scores.AsMemory(Row() * k, k));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _ids[Row()];

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _input.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Fill()
    {
        _count = 0;
        while (_count < _ids.Length && _input.MoveNext())
        {
            _queryGetter(ref _vector);
            _vector.CopyTo(_queries.AsSpan(_count * _index.Dimension, _index.Dimension));
            _idGetter(ref _ids[_count]);
            _batches[_count] = _input.Batch;
            foreach (var column in _columns)
            {
                column?.Read(_count);
            }

            _count++;
        }

        if (_count > 0)
        {
            _index.Search(_queries, _count, _rows, _scores);
        }
    }

    private int Row() => _row >= 0
        ? _row
        : throw new InvalidOperationException("Cannot call a getter on a cursor whose row is not set: call MoveNext first.");
}
