using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators.Downstream;

/// <summary>Reads ids of reference rows from a column: texts, keys (by their value where that is text), or whole numbers.</summary>
internal abstract class NeighborIdReader
{
    /// <summary>What is allowed, for messages.</summary>
    public const string Expected = "String, Key or a whole number";

    /// <summary>Takes the id of the row on which the cursor stands.</summary>
    public abstract void Read();

    /// <summary>The ids taken so far.</summary>
    public abstract NeighborIds ToIds();

    /// <summary>A reader of a column; of row numbers where there is none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column has another type.</exception>
    public static NeighborIdReader Create(DataViewRow row, DataViewSchema.Column? idColumn)
    {
        if (idColumn is not { } column)
            return new Numbers(() => row.Position);
        return Text(row, column) is { } text ? new Texts(text)
            : Integer(row, column) is { } number ? new Numbers(number)
            : throw Check.SchemaMismatch("id", column.Name, Expected, column.Type.ToString()!);
    }

    /// <summary>What reads the id of the row on which a cursor stands.</summary>
    /// <typeparam name="TId">String or long, as <see cref="ItemType(DataViewSchema.Column)"/> says of the column.</typeparam>
    public static Func<TId> Open<TId>(DataViewRow row, DataViewSchema.Column column)
        => (Func<TId>?)(object?)(typeof(TId) == typeof(string) ? Text(row, column) : Integer(row, column))
            ?? throw Check.SchemaMismatch("id", column.Name, Expected, column.Type.ToString()!);

    /// <summary>Type of the ids of a column as announced before Fit; null where the column is none of those allowed.</summary>
    public static PrimitiveDataViewType? ItemType(SchemaShape.Column column) =>
        column.Kind != SchemaShape.Column.VectorKind.Scalar ? null
        : column.ItemType is TextDataViewType ? TextDataViewType.Instance
        : column.IsKey && column.Annotations.Any(a => a.Name == "KeyValues" && a.ItemType is TextDataViewType) ? TextDataViewType.Instance
        : IsInteger(column.ItemType.RawType) ? NumberDataViewType.Int64
        : null;

    /// <summary>Type of the ids of a column of data; null where the column is none of those allowed.</summary>
    public static PrimitiveDataViewType? ItemType(DataViewSchema.Column column) =>
        column.Type is TextDataViewType ? TextDataViewType.Instance
        : column.Type is KeyDataViewType && column.HasKeyValues(TextDataViewType.Instance) ? TextDataViewType.Instance
        : column.Type is KeyDataViewType or NumberDataViewType && IsInteger(column.Type.RawType) ? NumberDataViewType.Int64
        : null;

    private static bool IsInteger(Type type) =>
        type == typeof(sbyte) || type == typeof(byte) || type == typeof(short) || type == typeof(ushort) ||
        type == typeof(int) || type == typeof(uint) || type == typeof(long) || type == typeof(ulong);

    private static Func<string>? Text(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
        {
            var getter = row.GetGetter<ReadOnlyMemory<char>>(column);
            return () =>
            {
                ReadOnlyMemory<char> text = default;
                getter(ref text);
                return text.ToString();
            };
        }

        if (column.Type is not KeyDataViewType || !column.HasKeyValues(TextDataViewType.Instance))
            return null;
        VBuffer<ReadOnlyMemory<char>> values = default;
        column.GetKeyValues(ref values);
        string[] names = ["", .. values.DenseValues().Select(value => value.ToString())];
        var key = Integer(row, column)!;
        return () => names[key()];
    }

    private static Func<long>? Integer(DataViewRow row, DataViewSchema.Column column) => column.Type.RawType switch
    {
        _ when column.Type is not (KeyDataViewType or NumberDataViewType) => null,
        var t when t == typeof(sbyte) => From<sbyte>(row, column, v => v),
        var t when t == typeof(byte) => From<byte>(row, column, v => v),
        var t when t == typeof(short) => From<short>(row, column, v => v),
        var t when t == typeof(ushort) => From<ushort>(row, column, v => v),
        var t when t == typeof(int) => From<int>(row, column, v => v),
        var t when t == typeof(uint) => From<uint>(row, column, v => v),
        var t when t == typeof(long) => From<long>(row, column, v => v),
        var t when t == typeof(ulong) => From<ulong>(row, column, v => checked((long)v)),
        _ => null,
    };

    private static Func<long> From<T>(DataViewRow row, DataViewSchema.Column column, Func<T, long> convert)
    {
        var getter = row.GetGetter<T>(column);
        return () =>
        {
            T value = default!;
            getter(ref value);
            return convert(value);
        };
    }

    private sealed class Texts(Func<string> read) : NeighborIdReader
    {
        private readonly List<string> _ids = [];

        public override void Read() => _ids.Add(read());

        public override NeighborIds ToIds() => new NeighborIds.TextIds(_ids);
    }

    private sealed class Numbers(Func<long> read) : NeighborIdReader
    {
        private readonly List<long> _ids = [];

        public override void Read() => _ids.Add(read());

        public override NeighborIds ToIds() => new NeighborIds.NumberIds([.. _ids]);
    }
}
