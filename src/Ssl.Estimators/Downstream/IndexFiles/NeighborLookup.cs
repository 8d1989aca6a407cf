using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Downstream;

/// <summary>Neighbors of one row.</summary>
/// <param name="Ids">So many as are asked for; what stands for none where there are fewer.</param>
/// <param name="Scores">So many as are asked for; NaN where there are fewer.</param>
internal sealed record FoundNeighbors<TId>(TId[] Ids, float[] Scores);

/// <summary>
/// The search for neighbors among rows that are kept elsewhere, as the stage of a pipeline: the columns are those of
/// <see cref="NearestNeighborsEstimator"/>.
/// </summary>
internal abstract class NeighborLookup(NeighborSettings settings, int? dimension) : FindingComputation
{
    /// <summary>Column names and the number of neighbors.</summary>
    public NeighborSettings Settings => settings;

    /// <summary>Type of the ids.</summary>
    public abstract PrimitiveDataViewType ItemType { get; }

    /// <summary>Length of the vectors; null where only a search tells.</summary>
    public int? Dimension => dimension;

    public override IReadOnlyList<string> InputColumns => [settings.InputColumn];

    /// <summary>Throws unless the column holds vectors, of the right length where that is known.</summary>
    public void CheckInput(DataViewSchema schema)
    {
        var shape = ColumnShape.Find(schema, settings.InputColumn);
        VectorRows.CheckColumn("input", settings.InputColumn, shape);
        var type = (VectorDataViewType)schema[settings.InputColumn].Type;
        if (dimension is { } length && type.Size != length)
        {
            throw Check.SchemaMismatch("input", settings.InputColumn, $"Vector<Single, {length}>", type.ToString(),
                "The vectors must come from the same encoder as those that are searched.");
        }
    }

    /// <summary>Writes what a model file shall have of it.</summary>
    public abstract void Save(ModelSaveContext context);

    /// <summary>Lets go of what belongs to the stage.</summary>
    public virtual void Free()
    {
    }
}

/// <summary>The same for ids of a type: <see cref="string"/> or <see cref="long"/>.</summary>
internal abstract class NeighborLookup<TId>(NeighborSettings settings, int? dimension) : NeighborLookup(settings, dimension) where TId : notnull
{
    public sealed override PrimitiveDataViewType ItemType => IndexIds.Of<TId>().ItemType;

    public sealed override void Find(RowBatch rows, Span<object?> found)
    {
        if (rows.Count == 0)
            return;
        var length = rows.Rows[0].Numbers.Length;
        var all = Search(rows.ToVectors(length), rows.Count, length);
        for (var i = 0; i < rows.Count; i++)
        {
            var ids = new TId[Settings.NumberOfNeighbors];
            var scores = new float[ids.Length];
            Array.Fill(ids, IndexIds.Of<TId>().Missing);
            Array.Fill(scores, float.NaN);
            for (var j = 0; j < all[i].Count; j++)
                (ids[j], scores[j]) = (all[i][j].Id, all[i][j].Score);
            found[i] = new FoundNeighbors<TId>(ids, scores);
        }
    }

    public sealed override Delegate CreateGetter(int output, Func<object> row)
    {
        if (output == 1)
            return VectorGetter<float>(() => ((FoundNeighbors<TId>)row()).Scores);
        return typeof(TId) == typeof(string)
            ? RowGetters.Vector<string, ReadOnlyMemory<char>>(() => ((FoundNeighbors<string>)row()).Ids, id => id.AsMemory())
            : VectorGetter<TId>(() => ((FoundNeighbors<TId>)row()).Ids);
    }

    /// <summary>Finds neighbors.</summary>
    /// <param name="vectors">count vectors, one after the other; may be changed.</param>
    /// <param name="count">Their number.</param>
    /// <param name="length">Their length.</param>
    /// <returns>For each at most so many as are asked for, best first.</returns>
    protected abstract IReadOnlyList<Neighbor<TId>>[] Search(Span<float> vectors, int count, int length);
}
