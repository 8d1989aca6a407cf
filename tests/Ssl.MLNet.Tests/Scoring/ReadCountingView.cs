using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.MLNet.Tests.Scoring;

/// <summary>Counts how often the values of some text columns are read.</summary>
internal sealed class ReadCountingView(IDataView input, params string[] columns) : IDataView
{
    private int _reads;

    public int Reads => Volatile.Read(ref _reads);

    public DataViewSchema Schema => input.Schema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(input.GetRowCursor(columnsNeeded, rand), this);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private bool Counts(string column) => columns.Contains(column);

    private sealed class Cursor(DataViewRowCursor input, ReadCountingView owner) : DataViewRowCursor
    {
        public override DataViewSchema Schema => input.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override bool MoveNext() => input.MoveNext();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            var get = input.GetGetter<TValue>(column);
            return !owner.Counts(column.Name) ? get : (ref TValue value) =>
            {
                Interlocked.Increment(ref owner._reads);
                get(ref value);
            };
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
