using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Downstream;

/// <summary>What a batched stage computes from one column of vectors. Any number of threads may compute at once.</summary>
internal abstract class VectorComputation : RowComputation
{
    /// <summary>The column of vectors.</summary>
    public abstract string InputColumn { get; }

    /// <summary>Length of the vectors.</summary>
    public abstract int Dimension { get; }

    public sealed override IReadOnlyList<string> InputColumns => [InputColumn];

    public sealed override void Compute(RowBatch rows, Span<float> results) => Compute(rows.ToVectors(Dimension), rows.Count, results);

    /// <summary>Computes rows as one batch.</summary>
    /// <param name="vectors">count vectors, row after row; may be changed.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="results">Takes count x <see cref="RowComputation.Width"/> values, row after row.</param>
    protected abstract void Compute(Span<float> vectors, int count, Span<float> results);

    /// <summary>Throws unless the column holds vectors of the right length.</summary>
    public void CheckInput(DataViewSchema schema) => CheckInput(schema, Dimension);

    /// <summary>The same where the column has only the first slots of what is computed with.</summary>
    /// <param name="schema">Of the input.</param>
    /// <param name="size">Their number.</param>
    public void CheckInput(DataViewSchema schema, int size)
    {
        var shape = ColumnShape.Find(schema, InputColumn);
        if (schema[InputColumn].Type is not VectorDataViewType { ItemType: NumberDataViewType item } vector ||
            item != NumberDataViewType.Single || vector.Size != size)
        {
            throw Check.SchemaMismatch("input", InputColumn, $"Vector<Single, {size}>",
                schema[InputColumn].Type.ToString() ?? shape.ToString(),
                "The vectors must come from the same encoder as the reference rows.");
        }
    }
}
