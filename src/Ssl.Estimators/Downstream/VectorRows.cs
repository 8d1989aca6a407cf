using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Downstream;

/// <summary>Reads a column of vectors.</summary>
internal static class VectorRows
{
    /// <summary>Throws unless the column is a known-size vector of Single.</summary>
    /// <param name="role">What it is for, as ML.NET says it: input, feature.</param>
    /// <param name="name">Its name.</param>
    /// <param name="shape">What it is.</param>
    public static void CheckColumn(string role, string name, ColumnShape shape)
    {
        if (shape.Kind != SchemaShape.Column.VectorKind.Vector || shape.ItemType != NumberDataViewType.Single)
        {
            throw Check.SchemaMismatch(role, name, "Vector<Single>", shape.ToString(), shape.ItemType is NumberDataViewType && !shape.IsKey
                ? "Bring numbers to a common scale before they are narrowed, which may make large ones the same: mlContext.Transforms."
                    + "NormalizeMeanVariance(…, fixZero: false), then Conversion.ConvertType(…, DataKind.Single)." : null);
        }
    }

    /// <summary>Moves the cursor through all rows and gives the vector of each, always in the same array.</summary>
    /// <param name="cursor">Stands before its first row; the column is active.</param>
    /// <param name="column">A known-size vector of Single.</param>
    public static IEnumerable<float[]> Of(DataViewRowCursor cursor, DataViewSchema.Column column)
    {
        var getter = cursor.GetGetter<VBuffer<float>>(column);
        var dense = new float[((VectorDataViewType)column.Type).Size];
        VBuffer<float> vector = default;
        while (cursor.MoveNext())
        {
            getter(ref vector);
            vector.CopyTo(dense);
            yield return dense;
        }
    }
}
