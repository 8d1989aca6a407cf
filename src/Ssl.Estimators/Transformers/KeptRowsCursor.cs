using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// The input's own cursor and what was computed of its rows in earlier passes: the columns that were embedded are not read. A row that the
/// memo does not know, because ids or data changed against the rules, is computed by itself.
/// </summary>
/// <param name="computation">What was computed.</param>
/// <param name="input">Stands before its first row.</param>
/// <param name="schema">The input's columns, then the computation's.</param>
/// <param name="active">Which of them are asked for.</param>
/// <param name="memo">A pass over a complete memo.</param>
/// <param name="reopen">Opens the same rows with the columns that are computed from; null where <paramref name="input"/> has them.</param>
internal sealed class KeptRowsCursor(RowComputation computation, DataViewRowCursor input, DataViewSchema schema, bool[] active,
    RowMemo.Pass memo, Func<DataViewRowCursor>? reopen) : DataViewRowCursor
{
    private readonly ValueGetter<DataViewRowId> _idGetter = input.GetIdGetter();
    private ReadOnlyMemory<float> _result;
    private long _found = -1;
    private DataViewRowCursor? _reopened;
    private RowBatch? _row;
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
        RowGetters.CheckType<TValue>(column);
        return (ValueGetter<TValue>)computation.CreateGetter(column.Index - input.Schema.Count, Result);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            input.Dispose();
            _reopened?.Dispose();
        }
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
            _result = Compute(id, position);
        _found = position;
        return _result;
    }

    private float[] Compute(DataViewRowId id, long position)
    {
        var rows = reopen is null ? input : _reopened ??= reopen();
        _row ??= computation.CreateBatch(rows, capacity: 1);
        while (rows.Position < position && rows.MoveNext())
        {
            // Rows before it were kept.
        }
        DataViewRowId same = default;
        if (rows.Position == position)
            rows.GetIdGetter()(ref same);
        if (rows.Position != position || !same.Equals(id))
        {
            throw new InvalidOperationException($"Row {position} is another one than in the passes before: the data change while they are "
                + "read again and again. Cache them before this stage (AppendCacheCheckpoint), or set EmbeddingMemoryLimit to 0.");
        }
        _row.Clear();
        _row.Read();
        computation.Compute(_row, _computed ??= new float[computation.Width]);
        return _computed;
    }
}
