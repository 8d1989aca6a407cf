using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// The input's own cursor and what was computed of its rows in earlier passes: the columns that were embedded are not read. A row that the
/// memo does not know, because the data changed against the rules, is computed by itself.
/// </summary>
internal sealed class KeptRowsCursor(
    RowComputation computation, DataViewRowCursor input, DataViewSchema schema, bool[] active, RowMemo.Pass memo) : DataViewRowCursor
{
    private readonly ValueGetter<DataViewRowId> _idGetter = input.GetIdGetter();
    private ReadOnlyMemory<float> _result;
    private long _found = -1;
    private RowReader? _reader;
    private RowBuffer? _buffer;
    private float[]? _computed;

    public override DataViewSchema Schema => schema;

    public override long Position => input.Position;

    public override long Batch => input.Batch;

    public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

    public override bool MoveNext()
    {
        computation.Lifetime?.ThrowIfClosed();
        return input.MoveNext();
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
        if (column.Index < input.Schema.Count)
            return input.GetGetter<TValue>(input.Schema[column.Index]);
        if (typeof(TValue) != column.Type.RawType)
        {
            throw new InvalidOperationException(
                $"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        }
        return (ValueGetter<TValue>)computation.CreateGetter(column.Index - input.Schema.Count, Result);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            input.Dispose();
        base.Dispose(disposing);
    }

    // All output columns of a row come from one look-up: an id that is looked up twice has come twice.
    private ReadOnlyMemory<float> Result()
    {
        var position = input.Position;
        if (position < 0)
            throw new InvalidOperationException("Cannot call a getter on a cursor whose row is not set: call MoveNext first.");
        if (_found == position)
            return _result;
        DataViewRowId id = default;
        _idGetter(ref id);
        if (!memo.TryGetComplete(id, position, out _result))
            _result = Compute();
        _found = position;
        return _result;
    }

    private float[] Compute()
    {
        _reader ??= RowReader.Open(input, computation.InputColumns, computation.InputKinds, computation.Images);
        var row = _reader.Read(_buffer ??= new RowBuffer());
        computation.Compute([row], _computed ??= new float[computation.Width]);
        return _computed;
    }
}
