using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Transformers;

/// <summary>Up to a batch of consecutive input rows: their pass-through values, their place, and what was computed of them.</summary>
internal sealed class RowBlock
{
    private readonly RowBatch _rows;            // those that must be computed
    private readonly ColumnBuffer?[] _columns;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private readonly float[] _results;
    private readonly RowComputation _computation;
    private readonly RowMemo.Pass? _memo;
    private readonly int[] _places;           // where the rows that are computed stand among all
    private readonly object?[] _found;
    private float[] _computed = [];

    public RowBlock(DataViewRow input, RowComputation computation, IReadOnlyList<DataViewSchema.Column> passThrough, int capacity,
        RowMemo.Pass? memo, RowNotices notices)
    {
        (_computation, _memo) = (computation, memo);
        _rows = computation.CreateBatch(input, capacity, notices);
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (var column in passThrough)
            _columns[column.Index] = ColumnBuffer.Create(input, column, capacity);
        _idGetter = input.GetIdGetter();
        _places = new int[capacity];
        _ids = new DataViewRowId[capacity];
        _batches = new long[capacity];
        _results = new float[checked(capacity * computation.Width)];
        _found = computation is FindingComputation ? new object?[capacity] : [];
    }

    /// <summary>Rows held, at most the capacity.</summary>
    public int Count { get; private set; }

    /// <summary>Lets all rows go.</summary>
    public void Clear() => Count = 0;

    /// <summary>Takes the next rows of the input; fewer than the capacity only at its end.</summary>
    /// <returns>Whether the input may have more.</returns>
    public bool Fill(DataViewRowCursor input)
    {
        Count = 0;
        _rows.Clear();
        while (Count < _ids.Length && input.MoveNext())
        {
            _idGetter(ref _ids[Count]);
            if (_memo is null || !_memo.TryGet(_ids[Count], input.Position, Results(Count, 1)))
            {
                _places[_rows.Count] = Count;
                _rows.Read();
            }
            _batches[Count] = input.Batch;
            foreach (var column in _columns)
                column?.Read(Count);
            Count++;
        }
        return Count == _ids.Length;
    }

    /// <summary>Computes the rows held of which nothing was kept, as one batch.</summary>
    public void Compute()
    {
        _computation.Lifetime?.ThrowIfClosed();
        if (_computation is FindingComputation finding)
        {
            finding.Find(_rows, _found.AsSpan(0, Count));
            return;
        }
        if (_rows.Count == Count)
        {
            _computation.Compute(_rows, Results(0, Count));
            return;
        }
        var width = _computation.Width;
        if (_computed.Length < _rows.Count * width)
            _computed = new float[_results.Length];
        _computation.Compute(_rows, _computed.AsSpan(0, _rows.Count * width));
        for (var i = 0; i < _rows.Count; i++)
            _computed.AsSpan(i * width, width).CopyTo(Results(_places[i], 1));
    }

    /// <summary>Keeps what was computed for passes to come.</summary>
    public void Keep()
    {
        for (var i = 0; i < _rows.Count && _memo is not null; i++)
            _memo.Add(_ids[_places[i]], Results(_places[i], 1));
    }

    public ReadOnlyMemory<float> Result(int row) => _results.AsMemory(row * _computation.Width, _computation.Width);

    public object Found(int row) => _found[row]!;

    private Span<float> Results(int row, int count) => _results.AsSpan(row * _computation.Width, count * _computation.Width);

    public DataViewRowId Id(int row) => _ids[row];

    public long Batch(int row) => _batches[row];

    public ColumnBuffer<T> Column<T>(int index) => (ColumnBuffer<T>)_columns[index]!;
}
