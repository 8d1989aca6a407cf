using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Data;

/// <summary>The values that the numbers of a key column stand for.</summary>
internal static class KeyValues
{
    private const string Kind = "KeyValues";

    /// <summary>Type of the values of a column of keys, single or vectors; null where it has none for all of its numbers.</summary>
    public static DataViewType? ItemType(DataViewSchema.Column column)
        => column.Annotations.Schema.GetColumnOrNull(Kind) is { Type: VectorDataViewType type } && type.Size == Count(column)
            ? type.ItemType : null;

    /// <summary>The values as text, in the order of their numbers; a key without any has its numbers from 1.</summary>
    public static string[] Texts(DataViewSchema.Column column)
    {
        if (ItemType(column) is not { } type)
            return [.. Enumerable.Range(1, Count(column)).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        var read = ((Func<DataViewSchema.Column, string[]>)Read<int>).Method.GetGenericMethodDefinition().MakeGenericMethod(type.RawType);
        return (string[])read.Invoke(null, [column])!;
    }

    private static int Count(DataViewSchema.Column column)
        => (int)((KeyDataViewType)(column.Type is VectorDataViewType vector ? vector.ItemType : column.Type)).Count;

    private static string[] Read<T>(DataViewSchema.Column column)
    {
        VBuffer<T> values = default;
        column.Annotations.GetValue(Kind, ref values);
        return [.. values.DenseValues().Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")];
    }
}
