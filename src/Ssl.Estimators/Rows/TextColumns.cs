using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;

namespace Ssl.Estimators.Rows;

/// <summary>Reads text columns of a view.</summary>
internal static class TextColumns
{
    /// <summary>
    /// Gets a column's values as text: those of a text column, or the values of a column of keys; the numbers of keys without values.
    /// </summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A scalar column of text or keys.</param>
    /// <returns>The text; the empty one where a key is missing.</returns>
    public static ValueGetter<ReadOnlyMemory<char>> Open(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is not KeyDataViewType key)
            return row.GetGetter<ReadOnlyMemory<char>>(column);
        var text = KeyTexts(column);
        return Type.GetTypeCode(key.RawType) switch
        {
            TypeCode.Byte => Values<byte>(number => number),
            TypeCode.UInt16 => Values<ushort>(number => number),
            TypeCode.UInt32 => Values<uint>(number => number),
            _ => Values<ulong>(number => number),
        };

        ValueGetter<ReadOnlyMemory<char>> Values<T>(Func<T, ulong> index)
        {
            var getter = row.GetGetter<T>(column);
            T number = default!;
            return (ref ReadOnlyMemory<char> value) =>
            {
                getter(ref number);
                value = text(index(number));
            };
        }
    }

    // The text of a key's number, the empty one of 0. Without values nothing is listed: hashed keys have a billion numbers.
    private static Func<ulong, ReadOnlyMemory<char>> KeyTexts(DataViewSchema.Column column)
    {
        if (KeyValues.ItemType(column) is null)
            return static number => number == 0 ? default : number.ToString(CultureInfo.InvariantCulture).AsMemory();
        ReadOnlyMemory<char>[] values = [default, .. KeyValues.Texts(column).Select(text => text.AsMemory())];
        return number => number < (ulong)values.Length ? values[number] : default;
    }

    /// <summary>Gets the getter of a column of texts or keys, single or vectors.</summary>
    /// <param name="row">A row or cursor in which the column is active.</param>
    /// <param name="column">A column of texts or keys.</param>
    /// <returns>
    /// Appends the texts of the row on which the input stands: one, or those of the vector, empty ones of sparse vectors included; the
    /// empty text where a key is missing.
    /// </returns>
    public static Action<List<ReadOnlyMemory<char>>> OpenCells(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is not VectorDataViewType vector)
        {
            var getter = Open(row, column);
            return cells =>
            {
                ReadOnlyMemory<char> text = default;
                getter(ref text);
                cells.Add(text);
            };
        }
        if (vector.ItemType is not KeyDataViewType key)
            return Texts<ReadOnlyMemory<char>>(text => text);
        var ofKey = KeyTexts(column);
        return Type.GetTypeCode(key.RawType) switch
        {
            TypeCode.Byte => Texts<byte>(number => ofKey(number)),
            TypeCode.UInt16 => Texts<ushort>(number => ofKey(number)),
            TypeCode.UInt32 => Texts<uint>(number => ofKey(number)),
            _ => Texts<ulong>(ofKey),
        };

        Action<List<ReadOnlyMemory<char>>> Texts<T>(Func<T, ReadOnlyMemory<char>> convert)
        {
            var getter = row.GetGetter<VBuffer<T>>(column);
            VBuffer<T> all = default;
            return cells =>
            {
                getter(ref all);
                foreach (var value in all.DenseValues())
                    cells.Add(convert(value));
            };
        }
    }
}
