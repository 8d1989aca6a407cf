using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Data;

/// <summary>The values that the numbers of a key column stand for.</summary>
internal static class KeyValues
{
    private const string Kind = "KeyValues";

    private const int MostNumbers = 1_000_000;

    /// <summary>Type of the values of a column of keys, single or vectors; null where it has none for all of its numbers.</summary>
    public static DataViewType? ItemType(DataViewSchema.Column column)
        => column.Annotations.Schema.GetColumnOrNull(Kind) is { Type: VectorDataViewType type } && type.Size == Count(column)
            ? type.ItemType : null;

    /// <summary>The values as text, in the order of their numbers; a key without any has its numbers from 1.</summary>
    /// <exception cref="InvalidOperationException">It has none, and too many numbers to list.</exception>
    public static string[] Texts(DataViewSchema.Column column)
    {
        var values = ItemType(column);
        if (values is null && Count(column) > MostNumbers)
        {
            throw new InvalidOperationException($"Column '{column.Name}' is a key without values that may have {Count(column):N0} numbers, as hashes have: "
                + $"so many classes cannot be told apart (at most {MostNumbers:N0}). Make keys of the values that there are: "
                + "mlContext.Transforms.Conversion.MapValueToKey(…).");
        }
        if (values is null)
            return [.. Enumerable.Range(1, Count(column)).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        var read = ((Func<DataViewSchema.Column, string[]>)Read<int>).Method.GetGenericMethodDefinition().MakeGenericMethod(values.RawType);
        return (string[])read.Invoke(null, [column])!;
    }

    private static int Count(DataViewSchema.Column column)
        => (int)Math.Min(int.MaxValue, ((KeyDataViewType)(column.Type is VectorDataViewType vector ? vector.ItemType : column.Type)).Count);

    private static string[] Read<T>(DataViewSchema.Column column)
    {
        VBuffer<T> values = default;
        column.Annotations.GetValue(Kind, ref values);
        return [.. values.DenseValues().Select(value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")];
    }
}
