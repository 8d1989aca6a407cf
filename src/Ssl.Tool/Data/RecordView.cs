using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Tool.Data;

/// <summary>The rows of a file as ML.NET reads them: numbers as Single, texts, vectors of Single.</summary>
internal sealed class RecordView : IDataView
{
    private readonly RowFile _file;

    public RecordView(RowFile file)
    {
        _file = file;
        var schema = new DataViewSchema.Builder();
        foreach (var column in file.Columns)
        {
            schema.AddColumn(column.Name, column.Kind switch
            {
                CellKind.Number => NumberDataViewType.Single,
                CellKind.Text => TextDataViewType.Instance,
                _ => new VectorDataViewType(NumberDataViewType.Single, column.Length),
            });
        }
        Schema = schema.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(this, [.. columnsNeeded.Select(column => column.Index)]);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(RecordView view, HashSet<int> active) : DataViewRowCursor
    {
        private readonly IEnumerator<Cell[]> _rows = view._file.Read().GetEnumerator();
        private long _position = -1;

        public override DataViewSchema Schema => view.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override bool MoveNext()
        {
            if (_rows.MoveNext())
            {
                _position++;
                return true;
            }
            _position = -1;
            return false;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new ArgumentOutOfRangeException(nameof(column), $"Column '{column.Name}' is not among those that the cursor was asked for.");
            var index = column.Index;
            Delegate getter = view._file.Columns[index].Kind switch
            {
                CellKind.Number => (ValueGetter<float>)((ref float value) => value = _rows.Current[index].Number),
                CellKind.Text => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = _rows.Current[index].Text.AsMemory()),
                _ => (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
                {
                    var numbers = _rows.Current[index].Vector;
                    var editor = VBufferEditor.Create(ref value, numbers.Length);
                    numbers.CopyTo(editor.Values);
                    value = editor.Commit();
                }),
            };
            return getter as ValueGetter<TValue> ?? throw new InvalidOperationException($"Column '{column.Name}' holds {column.Type.RawType.Name}, not {typeof(TValue).Name}.");
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _rows.Dispose();
            base.Dispose(disposing);
        }
    }
}
