using Microsoft.ML;
using Microsoft.ML.Data;

namespace Microsoft.Data.Analysis;

/// <summary>Columns of equal length; an <see cref="IDataView"/>.</summary>
public class DataFrame : IDataView
{
    private DataViewSchema _schema;

    public DataFrame(IEnumerable<DataFrameColumn> columns)
    {
        Columns = new DataFrameColumnCollection(columns, () => _schema = null);
        Rows = new DataFrameRowCollection(this);
    }

    public DataFrame(params DataFrameColumn[] columns) : this((IEnumerable<DataFrameColumn>)columns)
    {
    }

    public DataFrameColumnCollection Columns { get; }

    public DataFrameRowCollection Rows { get; }

    public DataFrameColumn this[string columnName]
    {
        get => Columns[columnName];
        set => Columns[columnName] = value;
    }

    bool IDataView.CanShuffle => false;

    DataViewSchema IDataView.Schema => Schema;

    private DataViewSchema Schema
    {
        get
        {
            if (_schema is null)
            {
                var builder = new DataViewSchema.Builder();
                foreach (var column in Columns)
                    builder.AddColumn(column.Name, column.ViewType);
                _schema = builder.ToSchema();
            }
            return _schema;
        }
    }

    long? IDataView.GetRowCount() => Rows.Count;

    DataViewRowCursor IDataView.GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand) => new Cursor(this, columnsNeeded);

    DataViewRowCursor[] IDataView.GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand)
        => [new Cursor(this, columnsNeeded)];

    private sealed class Cursor : DataViewRowCursor
    {
        private readonly DataFrame _frame;
        private readonly Dictionary<int, Delegate> _getters;
        private long _position = -1;
        private bool _disposed;

        public Cursor(DataFrame frame, IEnumerable<DataViewSchema.Column> needed)
        {
            _frame = frame;
            _getters = needed.DistinctBy(c => c.Index).ToDictionary(c => c.Index, c => frame.Columns[c.Index].ViewGetter(this));
        }

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => _frame.Schema;

        // As in the real package: asking about a column that is not active is an error.
        public override bool IsColumnActive(DataViewSchema.Column column) => _getters[column.Index] is not null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => (ValueGetter<TValue>)_getters[column.Index];

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        public override bool MoveNext() => !_disposed && ++_position < _frame.Rows.Count;

        protected override void Dispose(bool disposing)
        {
            _disposed = true;
            _position = -1;
            base.Dispose(disposing);
        }
    }
}
