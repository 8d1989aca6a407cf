using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Downstream;

/// <summary>Hands computed values out.</summary>
internal static class VectorGetters
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
        {
            editor.Values[i] = convert(values[i]);
        }

        value = editor.Commit();
    };
}

/// <summary>Hands the two output columns of a search out.</summary>
internal static class NeighborGetters
{
    /// <summary>A getter of the ids or the scores of the current row.</summary>
    /// <param name="ids">What the reference rows are called.</param>
    /// <param name="output">0 for the ids, 1 for the scores.</param>
    /// <param name="rows">Reference rows of the current row.</param>
    /// <param name="scores">Scores of the current row.</param>
    public static Delegate Create(NeighborIds ids, int output, Func<ReadOnlyMemory<long>> rows, Func<ReadOnlyMemory<float>> scores)
    {
        if (output == 1)
        {
            return VectorGetters.Vector(() => scores().Span, static score => score);
        }

        return ids switch
        {
            NeighborIds.TextIds texts => VectorGetters.Vector(() => rows().Span, row => texts[row]),
            NeighborIds.NumberIds numbers => VectorGetters.Vector(() => rows().Span, row => numbers[row]),
            _ => throw new InvalidOperationException($"Ids of type {ids.ItemType} have no column."),
        };
    }
}
