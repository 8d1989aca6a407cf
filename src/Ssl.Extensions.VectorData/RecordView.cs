using System.Linq.Expressions;
using Microsoft.Extensions.VectorData;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Extensions.VectorData;

/// <summary>The records of a collection as rows, read page after page in every pass; the next page is asked for while one is read.</summary>
internal sealed class RecordView<TKey, TRecord> : IDataView where TKey : notnull where TRecord : class
{
    private readonly VectorStoreCollection<TKey, TRecord> _collection;
    private readonly RecordColumn[] _columns;
    private readonly Expression<Func<TRecord, bool>> _filter;
    private readonly Expression<Func<TRecord, object?>> _key;
    private readonly int _pageSize;

    /// <exception cref="ArgumentException">The record type does not say what is needed of it.</exception>
    public RecordView(VectorStoreCollection<TKey, TRecord> collection, FromVectorStoreOptions<TRecord> options)
    {
        options.Check();
        _collection = collection;
        var model = RecordModel.Of<TRecord>(options);
        // Of a vector that the collection makes itself it gives back neither the numbers nor what they were made of.
        _columns = [.. model.Properties.Where(property => property.Role != RecordRole.Vector || options.IncludeVectors && property.HoldsNumbers)
            .Select(RecordColumn.Of)];
        _filter = options.Filter ?? (_ => true);
        _key = model.Key.Selector<TRecord>();
        _pageSize = options.PageSize;
        var schema = new DataViewSchema.Builder();
        foreach (var column in _columns)
            schema.AddColumn(column.Property.Name, column.Type);
        Schema = schema.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new bool[Schema.Count];
        foreach (var column in columnsNeeded)
            active[column.Index] = true;
        return new Cursor(this, active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private Task<List<TRecord>> ReadPageAsync(int number, bool withVectors) => Task.Run(async () =>
    {
        var page = new List<TRecord>();
        var options = new FilteredRecordRetrievalOptions<TRecord>
        {
            // Pages of an order that is not said could overlap.
            Skip = number * _pageSize, IncludeVectors = withVectors, OrderBy = order => order.Ascending(_key),
        };
        await foreach (var record in _collection.GetAsync(_filter, _pageSize, options).ConfigureAwait(false))
            page.Add(record);
        return page;
    });

    private sealed class Cursor(RecordView<TKey, TRecord> view, bool[] active) : DataViewRowCursor
    {
        private readonly bool _withVectors = view._columns.Where((column, i) => active[i] && column.Property.Role == RecordRole.Vector).Any();
        private List<TRecord> _page = [];
        private Task<List<TRecord>>? _next;
        private int _index, _pages;
        private long _position = -1;
        private bool _ended;

        public override DataViewSchema Schema => view.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override bool MoveNext()
        {
            if (_ended)
                return false;
            if (++_index >= _page.Count)
            {
                var isLast = _position >= 0 && _page.Count < view._pageSize;
                _page = isLast ? [] : (_next ?? view.ReadPageAsync(_pages++, _withVectors)).GetAwaiter().GetResult();
                _next = _page.Count < view._pageSize ? null : view.ReadPageAsync(_pages++, _withVectors);
                _index = 0;
            }
            if (_page.Count == 0)
            {
                (_ended, _position) = (true, -1);
                return false;
            }
            _position++;
            return true;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!active[column.Index])
                throw new ArgumentOutOfRangeException(nameof(column), "requested column not active");
            return view._columns[column.Index].CreateGetter(Current) as ValueGetter<TValue> ?? throw new InvalidOperationException(
                $"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        }

        private object Current() => _position < 0 ? throw new InvalidOperationException("The cursor stands on no row: call MoveNext first.") : _page[_index];
    }
}
