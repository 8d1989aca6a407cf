using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;

namespace Ssl.Extensions.VectorData;

/// <summary>Reads a column of ML.NET as values of a record's property.</summary>
internal static class ColumnValues
{
    /// <summary>Whether values of the column become values of the type, without loss.</summary>
    public static bool Fits(DataViewSchema.Column column, RecordProperty property)
    {
        var target = Plain(property.Type);
        return column.Type switch
        {
            VectorDataViewType vector when property.HoldsNumbers => vector.ItemType == NumberDataViewType.Single && vector.Size == property.Dimension,
            VectorDataViewType vector => ItemOf(target) is { } item && (vector.ItemType is TextDataViewType ? item == typeof(string)
                : vector.ItemType.RawType == item && item.IsPrimitive),
            TextDataViewType => target == typeof(string) || target == typeof(Guid),
            KeyDataViewType when column.HasKeyValues(TextDataViewType.Instance) => target == typeof(string),
            KeyDataViewType or NumberDataViewType or BooleanDataViewType => IsWideEnough(column.Type.RawType, target),
            DateTimeDataViewType => target == typeof(DateTime),
            DateTimeOffsetDataViewType => target == typeof(DateTimeOffset),
            _ => false,
        };
    }

    /// <summary>The types of columns that fit, for messages.</summary>
    public static string Expected(RecordProperty property)
    {
        var target = Plain(property.Type);
        return property.HoldsNumbers ? $"Vector<Single, {property.Dimension}>"
            : ItemOf(target) is { } item ? $"Vector<{item.Name}>"
            : target == typeof(string) ? "String or a key of texts"
            : target == typeof(Guid) ? "String"
            : $"{target.Name}, or what fits into it";
    }

    /// <summary>What reads the value of the row on which a cursor stands.</summary>
    /// <param name="row">The column is active.</param>
    /// <param name="column">Fits.</param>
    /// <param name="property">Takes the value.</param>
    public static Func<object?> Open(DataViewRow row, DataViewSchema.Column column, RecordProperty property)
    {
        var target = Plain(property.Type);
        switch (column.Type)
        {
            case VectorDataViewType when property.HoldsNumbers:
                var vector = Getter<VBuffer<float>>(row, column);
                return () => VectorTypes.Box([.. vector().DenseValues()], property.Type);
            case VectorDataViewType { ItemType: TextDataViewType }:
                var texts = Getter<VBuffer<ReadOnlyMemory<char>>>(row, column);
                return () => Items([.. texts().DenseValues().Select(text => text.ToString())], target);
            case VectorDataViewType type:
                return (Func<object?>)typeof(ColumnValues).GetMethod(nameof(Numbers), System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Public)!
                    .MakeGenericMethod(type.ItemType.RawType).Invoke(null, [row, column, target])!;
            case TextDataViewType or KeyDataViewType when target == typeof(string):
                var read = NeighborIdReader.Open<string>(row, column);
                return () => read();
            case TextDataViewType:
                var guid = NeighborIdReader.Open<string>(row, column);
                return () => Guid.TryParse(guid(), out var value) ? value
                    : throw new FormatException($"'{guid()}' in column '{column.Name}' is no Guid.");
            case DateTimeDataViewType:
                var date = Getter<DateTime>(row, column);
                return () => date();
            case DateTimeOffsetDataViewType:
                var offset = Getter<DateTimeOffset>(row, column);
                return () => offset();
            default:
                return Number(row, column, target, target != property.Type);
        }
    }

    /// <summary>A reader of a column of vectors of numbers.</summary>
    public static Func<object?> Numbers<T>(DataViewRow row, DataViewSchema.Column column, Type target) where T : unmanaged
    {
        var values = Getter<VBuffer<T>>(row, column);
        return () => Items<T>([.. values().DenseValues()], target);
    }

    private static object Items<T>(T[] values, Type target) => target.IsAssignableFrom(typeof(T[])) ? values : new List<T>(values);

    private static Func<object?> Number(DataViewRow row, DataViewSchema.Column column, Type target, bool allowsNull)
    {
        var value = Boxed(row, column);
        return () =>
        {
            var number = value();
            // What is missing in ML.NET is null in a store that has null.
            return allowsNull && number is float.NaN or double.NaN ? null
                : number.GetType() == target ? number : Convert.ChangeType(number, target, CultureInfo.InvariantCulture);
        };
    }

    private static Func<object> Boxed(DataViewRow row, DataViewSchema.Column column) => column.Type.RawType switch
    {
        var t when t == typeof(bool) => Box<bool>(row, column),
        var t when t == typeof(sbyte) => Box<sbyte>(row, column),
        var t when t == typeof(byte) => Box<byte>(row, column),
        var t when t == typeof(short) => Box<short>(row, column),
        var t when t == typeof(ushort) => Box<ushort>(row, column),
        var t when t == typeof(int) => Box<int>(row, column),
        var t when t == typeof(uint) => Box<uint>(row, column),
        var t when t == typeof(long) => Box<long>(row, column),
        var t when t == typeof(ulong) => Box<ulong>(row, column),
        var t when t == typeof(float) => Box<float>(row, column),
        _ => Box<double>(row, column),
    };

    private static Func<object> Box<T>(DataViewRow row, DataViewSchema.Column column) where T : notnull
    {
        var getter = Getter<T>(row, column);
        return () => getter();
    }

    private static Func<T> Getter<T>(DataViewRow row, DataViewSchema.Column column)
    {
        var getter = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return value;
        };
    }

    // Whole numbers in wider ones, and in those with a fraction that hold all of their digits.
    private static bool IsWideEnough(Type source, Type target)
    {
        if (source == target)
            return true;
        var (from, to) = (Digits(source), Digits(target));
        return from > 0 && to > from && (IsSigned(target) || !IsSigned(source)) && (source != typeof(float) || target == typeof(double));
    }

    private static int Digits(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Byte => 8,
        TypeCode.SByte => 7,
        TypeCode.UInt16 => 16,
        TypeCode.Int16 => 15,
        TypeCode.UInt32 => 32,
        TypeCode.Int32 => 31,
        TypeCode.UInt64 => 64,
        TypeCode.Int64 => 63,
        TypeCode.Single => 24,
        TypeCode.Double => 53,
        TypeCode.Decimal => 96,
        _ => 0,
    };

    private static bool IsSigned(Type type) => Type.GetTypeCode(type) is not (TypeCode.Byte or TypeCode.UInt16 or TypeCode.UInt32 or TypeCode.UInt64);

    private static Type? ItemOf(Type type) => type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericArguments() is [var item] && type.IsAssignableFrom(typeof(List<>).MakeGenericType(item)) ? item : null;

    private static Type Plain(Type type) => Nullable.GetUnderlyingType(type) ?? type;
}
