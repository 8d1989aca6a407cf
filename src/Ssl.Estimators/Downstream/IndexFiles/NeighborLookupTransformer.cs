using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Adds the nearest rows of an index file, or of another store, and their similarities. Lazy, order-preserving; any number of threads may search at
/// once. A row finds what is there when it is read: nothing is kept for later passes.
/// </summary>
public sealed class NeighborLookupTransformer : ITransformer, IDisposable
{
    private readonly NeighborLookup _lookup;
    private readonly int _batchSize;
    private readonly Lifetime _lifetime;

    internal NeighborLookupTransformer(NeighborLookup lookup, int batchSize = NearestNeighborsTransformer.BatchSize)
    {
        (_lookup, _batchSize) = (lookup, batchSize);
        _lifetime = new Lifetime(nameof(NeighborLookupTransformer), lookup.Free);
    }

    /// <summary>Name of the column of neighbor ids.</summary>
    public string NeighborsColumnName => _lookup.Settings.NeighborsColumn;

    /// <summary>Name of the column of similarities.</summary>
    public string ScoresColumnName => _lookup.Settings.ScoresColumn;

    /// <summary>Name of the column of query vectors.</summary>
    public string InputColumnName => _lookup.Settings.InputColumn;

    /// <summary>How many neighbors a row gets.</summary>
    public int NumberOfNeighbors => _lookup.Settings.NumberOfNeighbors;

    /// <summary>Always true: a row's neighbors depend on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema, the neighbors and the scores.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The input column is missing, has another type or another length.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _lifetime.ThrowIfClosed();
        _lookup.CheckInput(inputSchema);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(NeighborsColumnName, new VectorDataViewType(_lookup.ItemType, NumberOfNeighbors));
        builder.AddColumn(ScoresColumnName, new VectorDataViewType(NumberDataViewType.Single, NumberOfNeighbors));
        return builder.ToSchema();
    }

    /// <summary>Searches row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new EncoderRowMapper(_lookup, inputSchema, GetOutputSchema(inputSchema));

    /// <summary>The data with neighbors and scores; searched when rows are read.</summary>
    /// <param name="input">Holds the column of vectors.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), _lookup, _batchSize);
    }

    /// <summary>
    /// Closes the index file where this stage opened it, as one that <c>mlContext.Model.Load</c> gave. An index or a store that it was made of stays open.
    /// The disposal of a <c>PredictionEngine</c> closes nothing: it does not own the model.
    /// </summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _lifetime.Close();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => _lookup.Save(ctx);
}
