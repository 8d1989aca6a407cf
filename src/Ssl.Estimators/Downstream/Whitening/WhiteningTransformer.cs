using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Fitted whitening: subtracts the mean and multiplies by a matrix. Lazy, batched, order-preserving; any number of threads may transform
/// at once. Dispose of it when it is no longer needed.
/// </summary>
public sealed class WhiteningTransformer : ITransformer, IDisposable
{
    private const int BatchSize = 256;

    private readonly WhiteningModel _model;

    internal WhiteningTransformer(WhiteningModel model) => _model = model;

    /// <summary>Name of the column of whitened vectors.</summary>
    public string OutputColumnName => _model.OutputColumn;

    /// <summary>Name of the column of vectors.</summary>
    public string InputColumnName => _model.InputColumn;

    /// <summary>Length of a whitened vector.</summary>
    public int NumberOfComponents => _model.Width;

    /// <summary>How much of the covariance that it was made of is that of a sphere, from 0 to 1.</summary>
    public double Shrinkage => _model.Shrinkage;

    /// <summary>Always true: a row's vector depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema and the whitened vectors, in place of a column of their name.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The input column is missing, has another type or another length.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _model.Lifetime.ThrowIfClosed();
        _model.CheckInput(inputSchema);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(OutputColumnName, new VectorDataViewType(NumberDataViewType.Single, NumberOfComponents));
        return builder.ToSchema();
    }

    /// <summary>Whitens row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(_model, inputSchema, GetOutputSchema(inputSchema));

    /// <summary>The data with whitened vectors; computed when rows are read.</summary>
    /// <param name="input">Holds the column of vectors.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), _model, BatchSize);
    }

    /// <summary>Frees the matrix. The disposal of a <c>PredictionEngine</c> frees nothing: it does not own the model.</summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _model.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _model.WriteArchive);
}
