using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Objects as a view: read anew by every cursor, not shuffled.</summary>
internal sealed class EnumerableDataView<TRow> : IDataView
    where TRow : class
{
    private readonly IEnumerable<TRow> _data;
    private readonly TypedMember[] _members;

    public EnumerableDataView(IExceptionContext context, IEnumerable<TRow> data, SchemaDefinition definition)
    {
        context.CheckValue(data, nameof(data));
        _data = data;
        _members = TypedMember.Create(typeof(TRow), definition, SchemaDefinition.Direction.Read);
        Schema = ObjectRow<TRow>.MakeSchema(_members);
    }

    public bool CanShuffle => false;
    public DataViewSchema Schema { get; }

    public long? GetRowCount() => (_data as ICollection<TRow>)?.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        var row = new ObjectRow<TRow>(_members, Schema, Getters.Active(columnsNeeded, Schema));
        return new RowCursor(new Cursor(row, _data.GetEnumerator()), row);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    /// <summary>Walks the objects and shows them through the row.</summary>
    private sealed class Cursor(ObjectRow<TRow> row, IEnumerator<TRow> objects) : DataViewRowCursor
    {
        private bool _done;

        public override DataViewSchema Schema => row.Schema;
        public override long Position => row.Position;
        public override long Batch => 0;

        public override bool MoveNext()
        {
            if (!_done && objects.MoveNext())
            {
                Contracts.Check(null, objects.Current != null, "Encountered null when iterating over data, this is not supported.");
                row.Show(objects.Current);
                return true;
            }

            if (!_done)
            {
                Dispose();
            }

            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => row.IsColumnActive(column);
        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => row.GetGetter<TValue>(column);
        public override ValueGetter<DataViewRowId> GetIdGetter() => row.GetIdGetter();

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_done)
            {
                _done = true;
                row.Show(null, -1);
                objects.Dispose();
            }
        }
    }
}
