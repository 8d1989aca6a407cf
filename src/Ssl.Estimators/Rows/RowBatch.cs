using Microsoft.ML;

namespace Ssl.Estimators.Rows;

/// <summary>
/// Rows to compute together: read one by one on the thread of their cursor, brought into the format's store on the thread that computes.
/// Its memory is used again for the next rows.
/// </summary>
internal sealed class RowBatch
{
    private readonly Func<RowBuffer, RawRow> _read;
    private readonly RawRow[] _rows;
    private readonly RowBuffer[] _buffers;
    private readonly Func<RowBuffer, RawRow>? _readVector;
    private readonly RawRow[] _vectors;
    private readonly RowBuffer[] _vectorBuffers;
    private readonly RowStore? _store;
    private readonly TruncationCounter? _truncation;
    private float[] _numbers = [];

    /// <param name="input">The row or cursor, its columns active.</param>
    /// <param name="format">How they are read and stored; null reads <paramref name="columns"/> as they are.</param>
    /// <param name="columns">Their names.</param>
    /// <param name="vectorColumn">A column of vectors that is read beside them, or null.</param>
    /// <param name="capacity">Rows at most.</param>
    /// <param name="notices">Told what of the rows differs from what the format was learned of, and what they lose; may be null.</param>
    public RowBatch(DataViewRow input, RowFormat? format, IReadOnlyList<string> columns, string? vectorColumn, int capacity,
        RowNotices? notices = null)
    {
        _truncation = notices?.Truncation;
        _read = format is null ? RowReader.Open(input, columns) : format.Open(input);
        _store = format?.NewStore();
        if (_store is not null)
            _store.Notices = notices;
        (_rows, _buffers) = (new RawRow[capacity], new RowBuffer[capacity]);
        (_vectors, _vectorBuffers) = (_rows, _buffers);
        if (vectorColumn is not null)
        {
            _readVector = RowReader.Open(input, [vectorColumn]);
            (_vectors, _vectorBuffers) = (new RawRow[capacity], new RowBuffer[capacity]);
        }
    }

    /// <summary>Rows held.</summary>
    public int Count { get; private set; }

    /// <summary>The rows as they stand in the data.</summary>
    public ReadOnlySpan<RawRow> Rows => _rows.AsSpan(0, Count);

    /// <summary>Lets all rows go.</summary>
    public void Clear() => Count = 0;

    /// <summary>Adds the row on which the input now stands.</summary>
    public void Read()
    {
        _rows[Count] = _read(_buffers[Count] ??= new RowBuffer());
        if (_readVector is not null)
            _vectors[Count] = _readVector(_vectorBuffers[Count] ??= new RowBuffer());
        Count++;
    }

    /// <summary>The rows in the format's store, all of them: a row with nothing in it has an embedding, too.</summary>
    public RowStore ToStore()
    {
        _store!.Clear();
        foreach (var row in Rows)
            _store.Add(row, keepsEmpty: true);
        _truncation?.Add(_store.TakeTruncation());
        return _store;
    }

    /// <summary>The numbers of all rows, or of the column of vectors beside them, row after row; may be changed.</summary>
    /// <param name="width">Numbers a row.</param>
    /// <exception cref="InvalidOperationException">A row has more or fewer.</exception>
    public Span<float> ToVectors(int width)
    {
        if (_numbers.Length < Count * width)
            _numbers = new float[_rows.Length * width];
        for (var i = 0; i < Count; i++)
        {
            if (_vectors[i].Numbers.Length != width)
                throw new InvalidOperationException($"A vector has {_vectors[i].Numbers.Length} values, expected {width}.");
            // They come from columns of Single, and are that again.
            var numbers = _vectors[i].Numbers.Span;
            for (var j = 0; j < width; j++)
                _numbers[i * width + j] = (float)numbers[j];
        }
        return _numbers.AsSpan(0, Count * width);
    }
}
