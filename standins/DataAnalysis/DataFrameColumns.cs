using Microsoft.ML;
using Microsoft.ML.Data;

namespace Microsoft.Data.Analysis;

/// <summary>A named column.</summary>
public abstract class DataFrameColumn
{
    protected DataFrameColumn(string name, long length, Type type) => (Name, Length, DataType) = (name, length, type);

    public string Name { get; }

    public long Length { get; protected set; }

    public Type DataType { get; }

    internal abstract DataViewType ViewType { get; }

    internal abstract Delegate ViewGetter(DataViewRowCursor cursor);
}

/// <summary>A column of values, null where one is missing.</summary>
public class PrimitiveDataFrameColumn<T> : DataFrameColumn where T : unmanaged
{
    private readonly List<T?> _values;

    public PrimitiveDataFrameColumn(string name, IEnumerable<T?> values) : base(name, 0, typeof(T))
    {
        _values = [.. values ?? []];
        Length = _values.Count;
    }

    public PrimitiveDataFrameColumn(string name, IEnumerable<T> values) : this(name, values.Select(value => (T?)value))
    {
    }

    public PrimitiveDataFrameColumn(string name, long length = 0) : this(name, Enumerable.Repeat<T?>(null, (int)length))
    {
    }

    public T? this[long rowIndex]
    {
        get => _values[(int)rowIndex];
        set => _values[(int)rowIndex] = value;
    }

    internal override DataViewType ViewType => Type.GetTypeCode(typeof(T)) switch
    {
        TypeCode.Boolean => BooleanDataViewType.Instance,
        TypeCode.Byte => NumberDataViewType.Byte,
        TypeCode.Double => NumberDataViewType.Double,
        TypeCode.Single => NumberDataViewType.Single,
        TypeCode.Int16 => NumberDataViewType.Int16,
        TypeCode.Int32 => NumberDataViewType.Int32,
        TypeCode.Int64 => NumberDataViewType.Int64,
        TypeCode.SByte => NumberDataViewType.SByte,
        TypeCode.UInt16 => NumberDataViewType.UInt16,
        TypeCode.UInt32 => NumberDataViewType.UInt32,
        TypeCode.UInt64 => NumberDataViewType.UInt64,
        _ => throw new NotSupportedException(),
    };

    // Only floating-point numbers have a value for "missing"; a view of others sees their default.
    internal override Delegate ViewGetter(DataViewRowCursor cursor)
    {
        if (this is PrimitiveDataFrameColumn<float> singles)
            return (ValueGetter<float>)((ref float value) => value = singles[cursor.Position] ?? float.NaN);
        if (this is PrimitiveDataFrameColumn<double> doubles)
            return (ValueGetter<double>)((ref double value) => value = doubles[cursor.Position] ?? double.NaN);
        return (ValueGetter<T>)((ref T value) => value = this[cursor.Position].GetValueOrDefault());
    }
}

/// <summary>A column of texts.</summary>
public class StringDataFrameColumn : DataFrameColumn
{
    private readonly List<string> _values;

    public StringDataFrameColumn(string name, IEnumerable<string> values) : base(name, 0, typeof(string))
    {
        _values = [.. values ?? []];
        Length = _values.Count;
    }

    public StringDataFrameColumn(string name, long length = 0) : this(name, Enumerable.Repeat<string>(null, (int)length))
    {
    }

    public string this[long rowIndex]
    {
        get => _values[(int)rowIndex];
        set => _values[(int)rowIndex] = value;
    }

    internal override DataViewType ViewType => TextDataViewType.Instance;

    internal override Delegate ViewGetter(DataViewRowCursor cursor)
        => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = this[cursor.Position].AsMemory());
}
