using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Rows;

/// <summary>Reads numeric columns of any width and type as Single, with the values that ConvertType gives.</summary>
internal static class NumberColumns
{
    /// <summary>Whether a column's values can be read: numbers and booleans, single or vectors.</summary>
    /// <param name="itemType">Type of one value.</param>
    public static bool CanRead(DataViewType itemType) => itemType is NumberDataViewType or BooleanDataViewType;

    /// <summary>Gets the getter of a column.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A column that <see cref="CanRead"/> accepts.</param>
    /// <returns>Appends the cells of the row on which the input stands: one, or those of the vector, zeros of sparse ones
    /// included.</returns>
    public static Action<List<float>> Open(DataViewRow row, DataViewSchema.Column column)
    {
        var item = column.Type is VectorDataViewType vector ? vector.ItemType : column.Type;
        return CanRead(item)
            ? Converter(item.RawType)!.Open(row, column)
            : throw new ArgumentException($"Column '{column.Name}' of type {column.Type} has no numbers.", nameof(column));
    }

    private static Reader? Converter(Type raw) => Type.GetTypeCode(raw) switch
    {
        TypeCode.Single => new Reader<float>(static v => v),
        TypeCode.Double => new Reader<double>(static v => (float)v),
        TypeCode.Boolean => new Reader<bool>(static v => v ? 1 : 0),
        TypeCode.Byte => new Reader<byte>(static v => v),
        TypeCode.SByte => new Reader<sbyte>(static v => v),
        TypeCode.Int16 => new Reader<short>(static v => v),
        TypeCode.UInt16 => new Reader<ushort>(static v => v),
        TypeCode.Int32 => new Reader<int>(static v => v),
        TypeCode.UInt32 => new Reader<uint>(static v => v),
        TypeCode.Int64 => new Reader<long>(static v => v),
        TypeCode.UInt64 => new Reader<ulong>(static v => v),
        _ => null,
    };

    private abstract class Reader
    {
        public abstract Action<List<float>> Open(DataViewRow row, DataViewSchema.Column column);
    }

    private sealed class Reader<T>(Func<T, float> convert) : Reader
    {
        public override Action<List<float>> Open(DataViewRow row, DataViewSchema.Column column)
        {
            if (column.Type is not VectorDataViewType)
            {
                var getOne = row.GetGetter<T>(column);
                var one = default(T)!;
                return cells =>
                {
                    getOne(ref one);
                    cells.Add(convert(one));
                };
            }
            var getAll = row.GetGetter<VBuffer<T>>(column);
            VBuffer<T> all = default;
            return cells =>
            {
                getAll(ref all);
                var first = cells.Count;
                CollectionsMarshal.SetCount(cells, first + all.Length);
                var target = CollectionsMarshal.AsSpan(cells)[first..];
                var values = all.GetValues();
                var indices = all.GetIndices();
                if (!all.IsDense)
                    target.Fill(convert(default!));
                for (var i = 0; i < values.Length; i++)
                    target[all.IsDense ? i : indices[i]] = convert(values[i]);
            };
        }
    }
}
