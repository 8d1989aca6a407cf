using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Transformers;

/// <summary>Hands computed values out.</summary>
internal static class RowGetters
{
    public delegate ReadOnlySpan<T> SpanSource<T>();

    /// <summary>Throws, as ML.NET does, where a getter of another type than the column's is asked for.</summary>
    public static void CheckType<TValue>(DataViewSchema.Column column)
    {
        if (typeof(TValue) != column.Type.RawType)
        {
            throw new InvalidOperationException(
                $"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        }
    }

    /// <summary>A getter of a vector column.</summary>
    public static ValueGetter<VBuffer<TOut>> Vector<TIn, TOut>(SpanSource<TIn> source, Func<TIn, TOut> convert) =>
        (ref VBuffer<TOut> value) =>
    {
        var values = source();
        var editor = VBufferEditor.Create(ref value, values.Length);
        for (var i = 0; i < values.Length; i++)
            editor.Values[i] = convert(values[i]);
        value = editor.Commit();
    };
}
