using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Fitted search: adds the nearest reference rows and their similarities. Lazy, batched, order-preserving; any number of threads may
/// search at once. Dispose of it when it is no longer needed: it holds the reference vectors.
/// </summary>
public sealed class NearestNeighborsTransformer : ITransformer, IDisposable
{
    internal const int BatchSize = 256;

    private readonly NearestNeighborIndex _index;

    internal NearestNeighborsTransformer(NearestNeighborIndex index) => _index = index;

    /// <summary>Name of the column of neighbor ids.</summary>
    public string NeighborsColumnName => _index.Settings.NeighborsColumn;

    /// <summary>Name of the column of similarities.</summary>
    public string ScoresColumnName => _index.Settings.ScoresColumn;

    /// <summary>Name of the column of query vectors.</summary>
    public string InputColumnName => _index.Settings.InputColumn;

    /// <summary>How many neighbors a row gets.</summary>
    public int NumberOfNeighbors => _index.Settings.NumberOfNeighbors;

    /// <summary>Number of reference rows; those without direction do not count.</summary>
    public int ReferenceCount => _index.Ids.Count;

    /// <summary>How the neighbors are searched.</summary>
    public NeighborSearch Search => _index.Vectors is CellIndex ? NeighborSearch.Approximate : NeighborSearch.Exact;

    /// <summary>Always true: a row's neighbors depend on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema, the neighbors and the scores.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The input column is missing, has another type or another length.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _index.Lifetime.ThrowIfClosed();
        _index.CheckInput(inputSchema);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(NeighborsColumnName, new VectorDataViewType(_index.Ids.ItemType, NumberOfNeighbors));
        builder.AddColumn(ScoresColumnName, new VectorDataViewType(NumberDataViewType.Single, NumberOfNeighbors));
        return builder.ToSchema();
    }

    /// <summary>Searches row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) =>
        new EncoderRowMapper(_index, inputSchema, GetOutputSchema(inputSchema));

    /// <summary>The data with neighbors and scores; computed when rows are read.</summary>
    /// <param name="input">Holds the column of vectors.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), _index, BatchSize);
    }

    /// <summary>
    /// Frees the reference vectors. The disposal of a <c>PredictionEngine</c> frees nothing: it does not own the model.
    /// </summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _index.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _index.WriteArchive);
}
