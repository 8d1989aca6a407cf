using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators.Downstream;

/// <summary>
/// What a batched stage computes from one column of vectors. Its output columns stand behind all input columns. Any number of threads may
/// compute at once, each with results of its own.
/// </summary>
internal abstract class VectorComputation
{
    /// <summary>The column of vectors.</summary>
    public abstract string InputColumn { get; }

    /// <summary>Length of the vectors.</summary>
    public abstract int Dimension { get; }

    /// <summary>Room for what is computed of some rows.</summary>
    /// <param name="capacity">Rows at most.</param>
    public abstract VectorResults CreateResults(int capacity);

    /// <summary>Throws unless the column holds vectors of the right length.</summary>
    public void CheckInput(DataViewSchema schema)
    {
        var shape = ColumnShape.Find(schema, InputColumn);
        if (schema[InputColumn].Type is not VectorDataViewType { ItemType: NumberDataViewType item } vector ||
            item != NumberDataViewType.Single || vector.Size != Dimension)
        {
            throw Check.SchemaMismatch("input", InputColumn, $"Vector<Single, {Dimension}>",
                schema[InputColumn].Type.ToString() ?? shape.ToString(),
                "The vectors must come from the same encoder as the reference rows.");
        }
    }
}

/// <summary>What was computed of some rows.</summary>
internal abstract class VectorResults
{
    /// <summary>Computes rows as one batch.</summary>
    /// <param name="vectors">count vectors, row after row; may be changed.</param>
    /// <param name="count">Number of rows, at most the capacity.</param>
    public abstract void Compute(Span<float> vectors, int count);

    /// <summary>A getter of an output column, of the column's own raw type.</summary>
    /// <param name="output">Number of the output column, from 0.</param>
    /// <param name="row">Gives the row on which the consumer stands.</param>
    public abstract Delegate CreateGetter(int output, Func<int> row);
}
