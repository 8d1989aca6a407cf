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
    private readonly RowNotices _notices;
    private readonly Action<RowNotices, bool> _tell;
    private int _row = -1;
    private long _position = -1;

    /// <param name="computation">What is computed.</param>
    /// <param name="input">Stands before its first row; the cursor's from now on.</param>
    /// <param name="schema">The input's columns, then the computation's.</param>
    /// <param name="active">Which of them are asked for.</param>
    /// <param name="batchSize">Rows at once.</param>
    /// <param name="memo">A pass over what is kept; may be null.</param>
    /// <param name="notices">Gets what of the rows differs from what was learned, and what they lose.</param>
    /// <param name="tell">Told at the end of them, and whether all rows were read.</param>
    public EncoderCursor(RowComputation computation, DataViewRowCursor input, DataViewSchema schema, bool[] active, int batchSize,
        RowMemo.Pass? memo, RowNotices notices, Action<RowNotices, bool> tell)
    {
        (_notices, _tell) = (notices, tell);
        _rows = new RowPipeline(input, computation, [.. input.Schema.Where(c => active[c.Index])], batchSize, memo, _notices);
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
            _tell(_notices, true);
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
            return (ValueGetter<TValue>)CreateGetter(column.Index - _firstOutput);
        var columns = _rows.Columns<TValue>(column.Index);
        return (ref TValue value) => columns[_rows.CurrentIndex].Get(Row(), ref value);
    }

    private Delegate CreateGetter(int output) => _computation is FindingComputation finding
        ? finding.CreateGetter(output, () => _rows.Current.Found(Row())) : _computation.CreateGetter(output, () => _rows.Current.Result(Row()));

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _rows.Current.Id(Row());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rows.Dispose();
            _tell(_notices, false);
        }
        base.Dispose(disposing);
    }

    private int Row() => _row >= 0
        ? _row
        : throw new InvalidOperationException("Cannot call a getter on a cursor whose row is not set: call MoveNext first.");
}
