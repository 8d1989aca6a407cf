using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Evaluation;

/// <summary>Some rows of a view, by their numbers, with every column as it is. What is not chosen is passed over unread.</summary>
/// <param name="input">The view; its rows come in the same order every time.</param>
/// <param name="rows">Numbers of the chosen rows, from 0.</param>
internal sealed class ChosenRowsView(IDataView input, IEnumerable<int> rows) : IDataView
{
    private readonly HashSet<long> _rows = [.. rows.Select(row => (long)row)];

    public DataViewSchema Schema => input.Schema;

    // A shuffled input would choose others.
    public bool CanShuffle => false;

    public long? GetRowCount() => _rows.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(input.GetRowCursor(columnsNeeded), _rows);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor input, HashSet<long> rows) : DataViewRowCursor
    {
        private long _inputRow = -1, _position = -1;

        public override DataViewSchema Schema => input.Schema;

        public override long Position => _position;

        public override long Batch => input.Batch;

        public override bool IsColumnActive(DataViewSchema.Column column) => input.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => input.GetGetter<TValue>(column);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool MoveNext()
        {
            while (_position + 1 < rows.Count && input.MoveNext())
            {
                if (rows.Contains(++_inputRow))
                {
                    _position++;
                    return true;
                }
            }

            _position = -1;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }
}
