using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// Holds one pass-through column of a block of rows, so that rows read ahead can be served later with every column intact.
/// </summary>
internal abstract class ColumnBuffer
{
    /// <summary>Reads the row on which the input now stands into a slot.</summary>
    public abstract void Read(int slot);

    /// <summary>A buffer of the column's own raw type.</summary>
    public static ColumnBuffer Create(DataViewRow input, DataViewSchema.Column column, int capacity)
    {
        var raw = column.Type.RawType;
        var closed = column.Type is VectorDataViewType vector
            ? typeof(VectorColumnBuffer<>).MakeGenericType(vector.ItemType.RawType)
            : typeof(ValueColumnBuffer<>).MakeGenericType(raw);
        return (ColumnBuffer)Activator.CreateInstance(closed, input, column, capacity)!;
    }
}

/// <summary>A buffer that can hand its values to a getter of type <typeparamref name="T"/>.</summary>
internal abstract class ColumnBuffer<T> : ColumnBuffer
{
    /// <summary>Copies a slot to the caller.</summary>
    public abstract void Get(int slot, ref T value);
}

/// <summary>Scalars: numbers, text (its memory is immutable), keys, booleans, images.</summary>
internal sealed class ValueColumnBuffer<T>(DataViewRow input, DataViewSchema.Column column, int capacity) : ColumnBuffer<T>
{
    private readonly ValueGetter<T> _getter = input.GetGetter<T>(column);
    private readonly T[] _values = new T[capacity];

    public override void Read(int slot)
    {
        T value = default!;         // a fresh slot: what was handed out before belongs to the consumer
        _getter(ref value);
        _values[slot] = value;
    }

    public override void Get(int slot, ref T value) => value = _values[slot];
}

/// <summary>Vectors are copied both ways: a consumer may write into its own buffer.</summary>
internal sealed class VectorColumnBuffer<T>(DataViewRow input, DataViewSchema.Column column, int capacity) : ColumnBuffer<VBuffer<T>>
{
    private readonly ValueGetter<VBuffer<T>> _getter = input.GetGetter<VBuffer<T>>(column);
    private readonly VBuffer<T>[] _values = new VBuffer<T>[capacity];

    public override void Read(int slot) => _getter(ref _values[slot]);

    public override void Get(int slot, ref VBuffer<T> value) => _values[slot].CopyTo(ref value);
}
