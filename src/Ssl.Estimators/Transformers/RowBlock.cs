using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Up to a batch of consecutive input rows: their pass-through values, their place, and what was computed of them.</summary>
internal sealed class RowBlock
{
    private readonly RowReader _reader;
    private readonly ColumnBuffer?[] _columns;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly RawRow[] _rows;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _batches;
    private readonly float[] _results;
    private readonly RowComputation _computation;
    private readonly RowMemo.Pass? _memo;
    private readonly RowBuffer[] _buffers;
    private readonly int[] _places;           // where the rows that are computed stand among all
    private float[] _computed = [];
    private int _missing;

    public RowBlock(DataViewRow input, RowComputation computation, IReadOnlyList<DataViewSchema.Column> passThrough, int capacity,
        RowMemo.Pass? memo)
    {
        (_computation, _memo) = (computation, memo);
        _reader = RowReader.Open(input, computation.InputColumns, computation.InputKinds, computation.Images);
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (var column in passThrough)
            _columns[column.Index] = ColumnBuffer.Create(input, column, capacity);
        _idGetter = input.GetIdGetter();
        _rows = new RawRow[capacity];
        _buffers = new RowBuffer[capacity];
        _places = new int[capacity];
        _ids = new DataViewRowId[capacity];
        _batches = new long[capacity];
        _results = new float[checked(capacity * computation.Width)];
    }

    /// <summary>Rows held, at most the capacity.</summary>
    public int Count { get; private set; }

    /// <summary>Lets all rows go.</summary>
    public void Clear() => Count = 0;

    /// <summary>Takes the next rows of the input; fewer than the capacity only at its end.</summary>
    /// <returns>Whether the input may have more.</returns>
    public bool Fill(DataViewRowCursor input)
    {
        (Count, _missing) = (0, 0);
        while (Count < _rows.Length && input.MoveNext())
        {
            _idGetter(ref _ids[Count]);
            if (_memo is null || !_memo.TryGet(_ids[Count], input.Position, Results(Count, 1)))
            {
                _rows[_missing] = _reader.Read(_buffers[_missing] ??= new RowBuffer());
                _places[_missing++] = Count;
            }
            _batches[Count] = input.Batch;
            foreach (var column in _columns)
                column?.Read(Count);
            Count++;
        }
        return Count == _rows.Length;
    }

    /// <summary>Computes the rows held of which nothing was kept, as one batch.</summary>
    public void Compute()
    {
        _computation.Lifetime?.ThrowIfClosed();
        if (_missing == Count)
        {
            _computation.Compute(_rows.AsSpan(0, Count), Results(0, Count));
            return;
        }
        var width = _computation.Width;
        if (_computed.Length < _missing * width)
            _computed = new float[_results.Length];
        _computation.Compute(_rows.AsSpan(0, _missing), _computed.AsSpan(0, _missing * width));
        for (var i = 0; i < _missing; i++)
            _computed.AsSpan(i * width, width).CopyTo(Results(_places[i], 1));
    }

    /// <summary>Keeps what was computed for passes to come.</summary>
    public void Keep()
    {
        for (var i = 0; i < _missing && _memo is not null; i++)
            _memo.Add(_ids[_places[i]], Results(_places[i], 1));
    }

    public ReadOnlyMemory<float> Result(int row) => _results.AsMemory(row * _computation.Width, _computation.Width);

    private Span<float> Results(int row, int count) => _results.AsSpan(row * _computation.Width, count * _computation.Width);

    public DataViewRowId Id(int row) => _ids[row];

    public long Batch(int row) => _batches[row];

    public ColumnBuffer<T> Column<T>(int index) => (ColumnBuffer<T>)_columns[index]!;
}
