namespace Microsoft.ML.Data;

/// <summary>The rows of a view that pass a test.</summary>
internal sealed class FilteredDataView(
    IDataView input,
    DataViewSchema.Column[] tested,
    Func<DataViewRow,
    Func<bool>> makeTest) : IDirectDataView
{
    public bool CanShuffle => input.CanShuffle;
    public DataViewSchema Schema => input.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        WorkerCursor.Over(this, columnsNeeded, rand);

    public (DataViewRowCursor Cursor, bool Computes) GetDirectCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        var active = Getters.Active(columnsNeeded, Schema);
        var (cursor, computes) = WorkerCursor.Direct(input, With(active), rand);
        return (new FilterCursor(cursor, active, makeTest), computes);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        var active = Getters.Active(columnsNeeded, Schema);
        return [.. input.GetRowCursorSet(With(active), n, rand).Select(cursor => new FilterCursor(cursor, active, makeTest))];
    }

    private IEnumerable<DataViewSchema.Column> With(bool[] active) =>
        Schema.Where(column => active[column.Index] || tested.Any(test => test.Index == column.Index));

    private sealed class FilterCursor : ForwardingCursor
    {
        private readonly Func<bool> _test;
        private long _position = -1;

        public FilterCursor(DataViewRowCursor input, bool[] active, Func<DataViewRow, Func<bool>> makeTest)
            : base(input, active) => _test = makeTest(input);

        public override long Position => _position;

        public override bool MoveNext()
        {
            while (Input.MoveNext())
            {
                if (_test())
                {
                    _position++;
                    return true;
                }
            }

            _position = -1;
            return false;
        }
    }
}

/// <summary>A cursor that shows another's columns; derived ones choose rows.</summary>
internal abstract class ForwardingCursor(DataViewRowCursor input, bool[] active) : DataViewRowCursor
{
    public override DataViewSchema Schema => Input.Schema;
    public override long Position => Input.Position;
    public override long Batch => Input.Batch;

    protected DataViewRowCursor Input { get; } = input;

    public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];
    public override ValueGetter<DataViewRowId> GetIdGetter() => Input.GetIdGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(column.Index < active.Length && active[column.Index]);
        return Input.GetGetter<TValue>(column);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Input.Dispose();
        }
    }
}
