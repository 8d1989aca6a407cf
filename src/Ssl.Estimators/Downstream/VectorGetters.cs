using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Downstream;

/// <summary>Hands the two output columns of a search out.</summary>
internal static class NeighborGetters
{
    /// <summary>A getter of the ids or the scores of the current row.</summary>
    /// <param name="index">The search.</param>
    /// <param name="column">The column asked for: the last but one of the schema holds ids, the last one scores.</param>
    /// <param name="isScores">Whether it is the last one.</param>
    /// <param name="rows">Reference rows of the current row.</param>
    /// <param name="scores">Scores of the current row.</param>
    public static ValueGetter<TValue> Create<TValue>(NearestNeighborIndex index, DataViewSchema.Column column, bool isScores,
        Func<ReadOnlyMemory<long>> rows, Func<ReadOnlyMemory<float>> scores)
    {
        if (typeof(TValue) != column.Type.RawType)
        {
            throw new InvalidOperationException(
                $"Invalid TValue in GetGetter for column #{column}: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
        }

        if (isScores)
        {
            return (ValueGetter<TValue>)(Delegate)Vector(() => scores().Span, static score => score);
        }

        return index.Ids switch
        {
            NeighborIds.TextIds texts => (ValueGetter<TValue>)(Delegate)Vector(() => rows().Span, row => texts[row]),
            NeighborIds.NumberIds numbers => (ValueGetter<TValue>)(Delegate)Vector(() => rows().Span, row => numbers[row]),
            _ => throw new InvalidOperationException($"Ids of type {index.Ids.ItemType} have no column."),
        };
    }

    private delegate ReadOnlySpan<T> SpanSource<T>();

    private static ValueGetter<VBuffer<TOut>> Vector<TIn, TOut>(SpanSource<TIn> source, Func<TIn, TOut> convert) =>
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
