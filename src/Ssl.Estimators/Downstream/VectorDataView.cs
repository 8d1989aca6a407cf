using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Downstream;

/// <summary>The input and the columns of a computation on vectors, computed batch by batch as rows are asked for.</summary>
internal sealed class VectorDataView(IDataView input, DataViewSchema schema, VectorComputation computation, int batchSize) : IDataView
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
        if (!active.AsSpan(input.Schema.Count).Contains(true))
        {
            return new PassThroughCursor(input.GetRowCursor(needed, rand), schema, active);
        }

        needed = needed.Append(input.Schema[computation.InputColumn]).DistinctBy(c => c.Index);
        return new VectorCursor(computation, input.GetRowCursor(needed, rand), schema, active, batchSize);
    }

    /// <summary>One cursor: a batch already uses every core, several at once would only compete.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];
}

/// <summary>Reads a batch of rows ahead, computes all of them at once and serves them in order.</summary>
internal sealed class VectorCursor : DataViewRowCursor
{
    private readonly VectorComputation _computation;
    private readonly VectorResults _results;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly ColumnBuffer?[] _columns;
    private readonly ValueGetter<VBuffer<float>> _vectorGetter;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private readonly float[] _vectors;
    private VBuffer<float> _vector;
    private int _count, _row = -1;
    private long _position = -1;
    private bool _ended;

    public VectorCursor(VectorComputation computation, DataViewRowCursor input, DataViewSchema schema, bool[] active, int batchSize)
    {
        (_computation, _input, _active, Schema) = (computation, input, active, schema);
        _columns = [.. input.Schema.Select(c => active[c.Index] ? ColumnBuffer.Create(input, c, batchSize) : null)];
        _vectorGetter = input.GetGetter<VBuffer<float>>(input.Schema[computation.InputColumn]);
        _idGetter = input.GetIdGetter();
        _ids = new DataViewRowId[batchSize];
        _batches = new long[batchSize];
        _vectors = new float[checked(batchSize * computation.Dimension)];
        _results = computation.CreateResults(batchSize);
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

        VectorGetters.CheckType<TValue>(column);
        if (column.Index >= _columns.Length)
        {
            return (ValueGetter<TValue>)_results.CreateGetter(column.Index - _columns.Length, Row);
        }

        var buffer = (ColumnBuffer<TValue>)_columns[column.Index]!;
        return (ref TValue value) => buffer.Get(Row(), ref value);
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
            _vectorGetter(ref _vector);
            _vector.CopyTo(_vectors.AsSpan(_count * _computation.Dimension, _computation.Dimension));
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
            _results.Compute(_vectors, _count);
        }
    }

    private int Row() => _row >= 0
        ? _row
        : throw new InvalidOperationException("Cannot call a getter on a cursor whose row is not set: call MoveNext first.");
}
