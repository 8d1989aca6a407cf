using System.Collections;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Data;

/// <summary>
/// What <c>LoadFromEnumerable</c> makes of rows, whose cursors end the enumeration when they are disposed of: ML.NET's leave it, and with it the source,
/// where a pass ends early.
/// </summary>
internal sealed class AsyncView<TRow> : IDataView where TRow : class
{
    private readonly IDataView _view;
    private readonly Passes _passes;

    private AsyncView(IDataView view, Passes passes) => (_view, _passes) = (view, passes);

    /// <summary>The view of rows.</summary>
    public static AsyncView<TRow> Create(MLContext mlContext, IEnumerable<TRow> rows, SchemaDefinition? schemaDefinition)
    {
        var passes = new Passes(rows);
        return new AsyncView<TRow>(mlContext.Data.LoadFromEnumerable(passes, schemaDefinition), passes);
    }

    public DataViewSchema Schema => _view.Schema;

    public bool CanShuffle => false;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewRowCursor? cursor = null;
        var pass = _passes.Of(() => cursor = _view.GetRowCursor(columnsNeeded));
        return new Cursor(cursor!, pass);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>The rows; tells which enumerator a cursor took.</summary>
    private sealed class Passes(IEnumerable<TRow> rows) : IEnumerable<TRow>
    {
        private readonly Lock _lock = new();
        private IEnumerator<TRow>? _opened;

        public IEnumerator<TRow> Of(Action open)
        {
            lock (_lock)
            {
                _opened = null;
                open();
                return _opened ?? throw new InvalidOperationException("ML.NET's cursor did not ask for its rows when it was made.");
            }
        }

        public IEnumerator<TRow> GetEnumerator()
        {
            lock (_lock)
                return _opened = rows.GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class Cursor(DataViewRowCursor rows, IEnumerator<TRow> pass) : DataViewRowCursor
    {
        public override DataViewSchema Schema => rows.Schema;

        public override long Position => rows.Position;

        public override long Batch => rows.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => rows.IsColumnActive(column);

        public override bool MoveNext() => rows.MoveNext();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => rows.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => rows.GetIdGetter();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                rows.Dispose();
                pass.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
