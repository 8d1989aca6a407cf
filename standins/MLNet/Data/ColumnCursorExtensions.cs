using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The values of one column.</summary>
public static class ColumnCursorExtensions
{
    public static IEnumerable<T> GetColumn<T>(this IDataView data, string columnName) => data.GetColumn<T>(data.Schema[columnName]);

    public static IEnumerable<T> GetColumn<T>(this IDataView data, DataViewSchema.Column column)
    {
        Contracts.CheckValue(null, data, nameof(data));
        var found = data.Schema.GetColumnOrNull(column.Name);
        Contracts.CheckParam(
            null,
            column.Index < data.Schema.Count && data.Schema[column.Index].Name == column.Name && found != null,
            nameof(column),
            "column is not in the data view");
        var type = column.Type;
        if (type is VectorDataViewType vector)
        {
            if (typeof(T) == typeof(string[]) && vector.ItemType is TextDataViewType)
            {
                return (IEnumerable<T>)Values<VBuffer<ReadOnlyMemory<char>>, string[]>(
                    data,
                    column,
                    value => [.. value.DenseValues().Select(text => text.ToString())]);
            }

            if (typeof(T).IsArray && typeof(T).GetElementType() == vector.ItemType.RawType)
            {
                return Getters.Call<IEnumerable<T>>(
                    (Func<IDataView, DataViewSchema.Column, IEnumerable<int[]>>)Arrays<int>,
                    vector.ItemType.RawType,
                    data,
                    column);
            }
        }

        if (typeof(T) == typeof(string) && type is TextDataViewType)
        {
            return (IEnumerable<T>)Values<ReadOnlyMemory<char>, string>(data, column, value => value.ToString());
        }

        if (typeof(T) == type.RawType)
        {
            return Values<T, T>(data, column, value => value);
        }

        throw Contracts.ExceptParam(
            null,
            nameof(column),
            $"Cannot map column (name: {column.Name}, type: {type}) in data to the user-defined type, {typeof(T)}.");
    }

    private static IEnumerable<T[]> Arrays<T>(IDataView data, DataViewSchema.Column column) =>
        Values<VBuffer<T>, T[]>(data, column, value => [.. value.DenseValues()]);

    private static IEnumerable<TOut> Values<T, TOut>(IDataView data, DataViewSchema.Column column, Func<T, TOut> convert)
    {
        using var cursor = data.GetRowCursor([column]);
        var get = cursor.GetGetter<T>(column);
        while (cursor.MoveNext())
        {
            T value = default;
            get(ref value);
            yield return convert(value);
        }
    }
}
