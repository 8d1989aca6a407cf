using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Interop;

/// <summary>An annotation of a column of features: how many of its first slots are the cells of the row, before the embedding.</summary>
internal static class InputSlots
{
    private const string Kind = "SslInputSlots";

    /// <summary>Adds the annotation to those of a column.</summary>
    public static void Add(DataViewSchema.Annotations.Builder annotations, int count)
        => annotations.AddPrimitiveValue(Kind, NumberDataViewType.Int32, count);

    /// <summary>The number of slots; 0 where the column says nothing of it.</summary>
    public static int Of(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: NumberDataViewType type } || type != NumberDataViewType.Int32)
            return 0;
        var count = 0;
        column.Annotations.GetValue(Kind, ref count);
        return count;
    }
}
