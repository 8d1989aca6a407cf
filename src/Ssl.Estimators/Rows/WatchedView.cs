using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Rows;

/// <summary>The rows of a view, whose reading is told to somebody.</summary>
/// <param name="input">The rows.</param>
/// <param name="read">Told after every row how many were read in this pass.</param>
internal sealed class WatchedView(IDataView input, Action<long> read) : IDataView
{
    public DataViewSchema Schema => input.Schema;

    public bool CanShuffle => input.CanShuffle;

    public long? GetRowCount() => input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(input.GetRowCursor(columnsNeeded, rand), read);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor input, Action<long> read) : DataViewRowCursor
    {
        private long _count;

        public override DataViewSchema Schema => input.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override bool MoveNext()
        {
            if (!input.MoveNext())
                return false;
            read(++_count);
            return true;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
