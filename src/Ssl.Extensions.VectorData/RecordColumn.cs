using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Extensions.VectorData;

/// <summary>A property of records as a column of ML.NET.</summary>
/// <param name="Property">The property.</param>
/// <param name="Type">The column's type.</param>
/// <param name="CreateGetter">Makes its getter, of the record on which a cursor stands.</param>
internal sealed record RecordColumn(RecordProperty Property, DataViewType Type, Func<Func<object>, Delegate> CreateGetter)
{
    /// <summary>The column of a property.</summary>
    /// <exception cref="ArgumentException">ML.NET has no column for its type.</exception>
    public static RecordColumn Of(RecordProperty property)
    {
        var type = Nullable.GetUnderlyingType(property.Type) ?? property.Type;
        var isNullable = type != property.Type;
        if (property.HoldsNumbers)
            return new(property, new VectorDataViewType(NumberDataViewType.Single, property.Dimension), record => Vector(property, record));
        if (type == typeof(string) || type == typeof(Guid))
            return new(property, TextDataViewType.Instance, record => Scalar(property, record, value => Convert.ToString(value, CultureInfo.InvariantCulture).AsMemory()));
        if (typeof(IEnumerable<string>).IsAssignableFrom(type))
            return new(property, new VectorDataViewType(TextDataViewType.Instance), record => Texts(property, record));
        // What has no value is NaN in ML.NET, which numbers with a fraction have only.
        if (type == typeof(float) || isNullable && type == typeof(bool))
            return new(property, NumberDataViewType.Single, record => Scalar(property, record, value => value is null ? float.NaN : Convert.ToSingle(value, CultureInfo.InvariantCulture)));
        if (type == typeof(double) || type == typeof(decimal) || isNullable && type.IsPrimitive)
            return new(property, NumberDataViewType.Double, record => Scalar(property, record, value => value is null ? double.NaN : Convert.ToDouble(value, CultureInfo.InvariantCulture)));
        if (isNullable)
            throw Unknown();
        return type switch
        {
            _ when type == typeof(bool) => Plain<bool>(BooleanDataViewType.Instance),
            _ when type == typeof(sbyte) => Plain<sbyte>(NumberDataViewType.SByte),
            _ when type == typeof(byte) => Plain<byte>(NumberDataViewType.Byte),
            _ when type == typeof(short) => Plain<short>(NumberDataViewType.Int16),
            _ when type == typeof(ushort) => Plain<ushort>(NumberDataViewType.UInt16),
            _ when type == typeof(int) => Plain<int>(NumberDataViewType.Int32),
            _ when type == typeof(uint) => Plain<uint>(NumberDataViewType.UInt32),
            _ when type == typeof(long) => Plain<long>(NumberDataViewType.Int64),
            _ when type == typeof(ulong) => Plain<ulong>(NumberDataViewType.UInt64),
            _ when type == typeof(DateTime) => Plain<DateTime>(DateTimeDataViewType.Instance),
            _ when type == typeof(DateTimeOffset) => Plain<DateTimeOffset>(DateTimeOffsetDataViewType.Instance),
            _ => throw Unknown(),
        };

        RecordColumn Plain<T>(DataViewType column) => new(property, column, record => Scalar(property, record, value => value is T own ? own
            : throw new InvalidOperationException($"A record has '{value ?? "null"}' as '{property.Name}', where {typeof(T).Name} is expected.")));

        ArgumentException Unknown() => new($"'{property.Name}' is {property.Type}, for which ML.NET has no column. Read records of a type without it.");
    }

    private static ValueGetter<T> Scalar<T>(RecordProperty property, Func<object> record, Func<object?, T> convert)
        => (ref T value) => value = convert(property.Get(record()));

    private static ValueGetter<VBuffer<float>> Vector(RecordProperty property, Func<object> record) => (ref VBuffer<float> value) =>
    {
        var vector = VectorTypes.Unbox(property.Get(record()));
        if (vector?.Length != property.Dimension)
            throw new InvalidOperationException($"A record has a vector of {vector?.Length ?? 0} values as '{property.Name}', where {property.Dimension} are expected.");
        var editor = VBufferEditor.Create(ref value, property.Dimension);
        vector.Value.Span.CopyTo(editor.Values);
        value = editor.Commit();
    };

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> Texts(RecordProperty property, Func<object> record) => (ref VBuffer<ReadOnlyMemory<char>> value) =>
    {
        string[] texts = [.. (IEnumerable<string>?)property.Get(record()) ?? []];
        var editor = VBufferEditor.Create(ref value, texts.Length);
        for (var i = 0; i < texts.Length; i++)
            editor.Values[i] = texts[i].AsMemory();
        value = editor.Commit();
    };
}
