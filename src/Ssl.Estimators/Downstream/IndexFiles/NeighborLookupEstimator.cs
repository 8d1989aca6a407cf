using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators;

/// <summary>
/// Finds, for every row that it transforms, the most similar rows of an index file or another store; learns nothing.
/// </summary>
/// <remarks>
/// The output columns are those of <see cref="NearestNeighborsEstimator"/>: a known-size vector of ids (text or <see cref="long"/>), best first, and one
/// of scores, falling. Where there are fewer neighbors than asked for, the rest is the empty text or -1, with scores of NaN.
/// </remarks>
public sealed class NeighborLookupEstimator : IEstimator<NeighborLookupTransformer>
{
    private readonly Func<NeighborLookupTransformer> _create;
    private readonly NeighborLookup _lookup;

    internal NeighborLookupEstimator(NeighborLookup lookup, int batchSize = NearestNeighborsTransformer.BatchSize)
        => (_lookup, _create) = (lookup, () => new NeighborLookupTransformer(lookup, batchSize));

    /// <summary>The search as a stage; nothing is learned.</summary>
    /// <param name="input">Its schema is checked.</param>
    /// <exception cref="ArgumentOutOfRangeException">The input column is missing, or has another type or length.</exception>
    public NeighborLookupTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var transformer = _create();
        transformer.GetOutputSchema(input.Schema);
        return transformer;
    }

    /// <summary>All input columns, the neighbors and the scores.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The input column is missing or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var settings = _lookup.Settings;
        VectorRows.CheckColumn("input", settings.InputColumn, ColumnShape.Find(inputSchema, settings.InputColumn));
        return SchemaShapes.Append(inputSchema,
            SchemaShapes.Vector(settings.NeighborsColumn, _lookup.ItemType, settings.NumberOfNeighbors),
            SchemaShapes.Vector(settings.ScoresColumn, NumberDataViewType.Single, settings.NumberOfNeighbors));
    }
}
