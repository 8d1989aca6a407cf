using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// Reads a batch of rows ahead, computes them at once and serves them in order. From the second batch on the next one is computed
/// while the consumer works on this one; before that nothing is read that was not asked for, so a preview of ten rows stays cheap.
/// </summary>
internal sealed class EncoderCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor _input;
    private readonly RowComputation _computation;
    private readonly bool[] _active;
    private readonly int _firstOutput;
    private RowBlock _current;
    private RowBlock _next;
    private Task? _pending;
    private int _row = -1;
    private long _position = -1;
    private bool _started;

    public EncoderCursor(
        RowComputation computation, DataViewRowCursor input, DataViewSchema schema, int firstOutput, bool[] active, int batchSize)
    {
        _input = input;
        _computation = computation;
        _active = active;
        _firstOutput = firstOutput;
        Schema = schema;
        var passThrough = input.Schema.Where(c => active[c.Index]).ToArray();
        _current = new RowBlock(input, computation, passThrough, batchSize);
        _next = new RowBlock(input, computation, passThrough, batchSize);
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => _row >= 0 ? _current.Batch(_row) : 0;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[column.Index];

    public override bool MoveNext()
    {
        if (_row + 1 < _current.Count)
        {
            _row++;
            _position++;
            return true;
        }
        if (_started && _current.Count == 0)
            return false;
        if (_pending is null)
        {
            _current.Fill(_input);
            if (_current.Count > 0)
                _current.Compute();
        }
        else
        {
            var pending = _pending;
            _pending = null;
            pending.GetAwaiter().GetResult();
            (_current, _next) = (_next, _current);
        }
        if (_current.Count == 0)
        {
            _started = true;
            _row = -1;
            _position = -1;
            return false;
        }
        if (_started)
            ComputeNext();
        _started = true;
        _row = 0;
        _position++;
        return true;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
        if (typeof(TValue) != column.Type.RawType)
            throw new InvalidOperationException($"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        if (column.Index >= _firstOutput)
            return (ValueGetter<TValue>)_computation.CreateGetter(column.Index - _firstOutput, () => _current.Result(Row()));
        var (current, next) = (_current.Column<TValue>(column.Index), _next.Column<TValue>(column.Index));
        var first = _current;
        return (ref TValue value) => (ReferenceEquals(_current, first) ? current : next).Get(Row(), ref value);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = _current.Id(Row());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // The task reads the input: it must be over before the input goes.
            try { _pending?.GetAwaiter().GetResult(); }
            catch (Exception) { /* the consumer leaves; nobody waits for this batch */ }
            _pending = null;
            _input.Dispose();
        }
        base.Dispose(disposing);
    }

    private void ComputeNext()
    {
        var block = _next;
        block.Fill(_input);         // on the consumer's thread: cursors are not shared between threads
        _pending = block.Count == 0 ? Task.CompletedTask : Task.Run(block.Compute);
    }

    private int Row() => _row >= 0
        ? _row
        : throw new InvalidOperationException("Cannot call a getter on a cursor whose row is not set: call MoveNext first.");
}
