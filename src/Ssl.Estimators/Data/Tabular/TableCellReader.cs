using System.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Data;

/// <summary>
/// Reads table columns of any allowed type in the neutral form: numbers, booleans (0 and 1) and keys (raw, 0 for missing) as Single, texts as
/// texts. The row's arrays are the reader's own and change with the next row.
/// </summary>
internal sealed class TableCellReader
{
    private readonly List<Cells> _columns = [];
    private readonly float[] _numbers;
    private readonly ReadOnlyMemory<char>[] _texts;

    /// <param name="row">Its named columns are active and of an allowed type.</param>
    /// <param name="columns">The columns, in their order.</param>
    public TableCellReader(DataViewRow row, IReadOnlyList<string> columns)
    {
        int numbers = 0, texts = 0;
        foreach (var name in columns)
        {
            var column = row.Schema[name];
            var item = column.Type is VectorDataViewType vector ? vector.ItemType : column.Type;
            var size = column.Type is VectorDataViewType { Size: var slots } ? slots : 1;
            _columns.Add(item is TextDataViewType
                ? new TextCells(row, column, texts)
                : (Cells)Activator.CreateInstance((item is BooleanDataViewType ? typeof(BooleanCells) : typeof(NumberCells<>).MakeGenericType(item.RawType)),
                    row, column, numbers)!);
            if (item is TextDataViewType)
                texts += size;
            else
                numbers += size;
        }
        _numbers = new float[numbers];
        _texts = new ReadOnlyMemory<char>[texts];
    }

    /// <summary>The row on which the input now stands; valid until the next call.</summary>
    public RawRow Read()
    {
        foreach (var column in _columns)
            column.Read(_numbers, _texts);
        return new RawRow(_numbers, _texts);
    }

    private abstract class Cells
    {
        public abstract void Read(float[] numbers, ReadOnlyMemory<char>[] texts);
    }

    private sealed class TextCells(DataViewRow row, DataViewSchema.Column column, int first) : Cells
    {
        private readonly ValueReader<ReadOnlyMemory<char>> _reader = new(row, column);

        public override void Read(float[] numbers, ReadOnlyMemory<char>[] texts) => _reader.Read(texts.AsSpan(first), static text => text);
    }

    private sealed class BooleanCells(DataViewRow row, DataViewSchema.Column column, int first) : Cells
    {
        private readonly ValueReader<bool> _reader = new(row, column);

        public override void Read(float[] numbers, ReadOnlyMemory<char>[] texts) => _reader.Read(numbers.AsSpan(first), static value => value ? 1f : 0f);
    }

    private sealed class NumberCells<T>(DataViewRow row, DataViewSchema.Column column, int first) : Cells where T : INumber<T>
    {
        private readonly ValueReader<T> _reader = new(row, column);

        public override void Read(float[] numbers, ReadOnlyMemory<char>[] texts) => _reader.Read(numbers.AsSpan(first), float.CreateTruncating);
    }

    // A scalar or a vector, the missing slots of a sparse vector as the type's zero.
    private sealed class ValueReader<T>
    {
        private readonly ValueGetter<T>? _scalar;
        private readonly ValueGetter<VBuffer<T>>? _vector;
        private VBuffer<T> _buffer;

        public ValueReader(DataViewRow row, DataViewSchema.Column column)
        {
            if (column.Type is VectorDataViewType)
                _vector = row.GetGetter<VBuffer<T>>(column);
            else
                _scalar = row.GetGetter<T>(column);
        }

        public void Read<TResult>(Span<TResult> target, Func<T, TResult> convert)
        {
            if (_scalar is not null)
            {
                T value = default!;
                _scalar(ref value);
                target[0] = convert(value);
                return;
            }
            _vector!(ref _buffer);
            foreach (var (slot, value) in _buffer.Items(all: true))
                target[slot] = convert(value);
        }
    }
}
