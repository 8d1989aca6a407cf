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

    public RowBlock(DataViewRow input, RowComputation computation, IReadOnlyList<DataViewSchema.Column> passThrough, int capacity)
    {
        _computation = computation;
        _reader = RowReader.Open(input, computation.InputColumns, computation.InputKinds, computation.Images);
        _columns = new ColumnBuffer?[input.Schema.Count];
        foreach (var column in passThrough)
            _columns[column.Index] = ColumnBuffer.Create(input, column, capacity);
        _idGetter = input.GetIdGetter();
        _rows = new RawRow[capacity];
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
        Count = 0;
        while (Count < _rows.Length && input.MoveNext())
        {
            _rows[Count] = _reader.Read();
            _idGetter(ref _ids[Count]);
            _batches[Count] = input.Batch;
            foreach (var column in _columns)
                column?.Read(Count);
            Count++;
        }
        return Count == _rows.Length;
    }

    /// <summary>Computes all rows held, as one batch.</summary>
    public void Compute() => _computation.Compute(_rows.AsSpan(0, Count), _results.AsSpan(0, Count * _computation.Width));

    public ReadOnlyMemory<float> Result(int row) => _results.AsMemory(row * _computation.Width, _computation.Width);

    public DataViewRowId Id(int row) => _ids[row];

    public long Batch(int row) => _batches[row];

    public ColumnBuffer<T> Column<T>(int index) => (ColumnBuffer<T>)_columns[index]!;
}
