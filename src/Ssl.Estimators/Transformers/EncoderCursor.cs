using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// Serves rows in order with every other column intact; a <see cref="RowPipeline"/> reads them ahead and computes them batch by batch.
/// </summary>
internal sealed class EncoderCursor : DataViewRowCursor
{
    private readonly RowPipeline _rows;
    private readonly RowComputation _computation;
    private readonly bool[] _active;
    private readonly int _firstOutput;
    private readonly TruncationCounter? _truncation;
    private int _row = -1;
    private long _position = -1;

    public EncoderCursor(
        RowComputation computation, DataViewRowCursor input, DataViewSchema schema, bool[] active, int batchSize, RowMemo.Pass? memo,
        TruncationCounter? truncation)
    {
        _rows = new RowPipeline(input, computation, [.. input.Schema.Where(c => active[c.Index])], batchSize, memo, truncation);
        _truncation = truncation;
        _computation = computation;
        _active = active;
        _firstOutput = input.Schema.Count;
        Schema = schema;
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => _row >= 0 ? _rows.Current.Batch(_row) : 0;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override bool MoveNext()
    {
        if (_row + 1 < _rows.Current.Count)
        {
            _row++;
        }
        else if (_rows.MoveNext())
        {
            _row = 0;
        }
        else
        {
            _row = -1;
            _position = -1;
            _truncation?.EndPass();
            return false;
        }
        _position++;
        return true;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
        RowGetters.CheckType<TValue>(column);
        if (column.Index >= _firstOutput)
            return (ValueGetter<TValue>)_computation.CreateGetter(column.Index - _firstOutput, () => _rows.Current.Result(Row()));
        var columns = _rows.Columns<TValue>(column.Index);
        return (ref TValue value) => columns[_rows.CurrentIndex].Get(Row(), ref value);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _rows.Current.Id(Row());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rows.Dispose();
            _truncation?.EndPass();
        }
        base.Dispose(disposing);
    }

    private int Row() => _row >= 0
        ? _row
        : throw new InvalidOperationException("Cannot call a getter on a cursor whose row is not set: call MoveNext first.");
}
