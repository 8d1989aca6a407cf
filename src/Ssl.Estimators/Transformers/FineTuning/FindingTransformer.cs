using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>A transformer that finds in every row as much as there is.</summary>
public abstract class FindingTransformer : ITransformer, IDisposable
{
    private readonly MLContext _mlContext;
    private readonly FindingComputation _model;

    private protected FindingTransformer(MLContext mlContext, FindingComputation model) => (_mlContext, _model) = (mlContext, model);

    /// <summary>Names of the columns that it predicts from.</summary>
    public IReadOnlyList<string> InputColumnNames => _model.InputColumns;

    /// <summary>Names of the columns that it adds, in their order.</summary>
    public abstract IReadOnlyList<string> OutputColumnNames { get; }

    /// <summary>Always true: what is found in a row depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>Checks the input columns and adds those of the output.</summary>
    private protected abstract DataViewSchema Append(DataViewSchema inputSchema);

    /// <summary>Throws unless the input columns are texts.</summary>
    private protected void RequireTexts(DataViewSchema inputSchema)
    {
        foreach (var name in InputColumnNames)
        {
            var shape = ColumnShape.Find(inputSchema, name);
            if (!shape.IsText)
                throw shape.Mismatch(name, "String");
        }
    }

    /// <summary>Writes the archive.</summary>
    private protected abstract void Save(ModelSaveContext context);

    /// <summary>The input's schema and the columns of what is found.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _model.Lifetime?.ThrowIfClosed();
        return Append(inputSchema);
    }

    /// <summary>Predicts row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(_model, inputSchema, GetOutputSchema(inputSchema), ScoringSettings.Of(_mlContext));

    /// <summary>The data with the columns of what is found; computed when rows are read.</summary>
    /// <param name="input">Holds the input column(s).</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), _model, EncoderTransformer.BatchSize, ScoringSettings.Of(_mlContext));
    }

    /// <summary>Frees the weights. The disposal of a <c>PredictionEngine</c> frees nothing: it does not own the model.</summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _model.Lifetime?.Close();
        GC.SuppressFinalize(this);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(ctx);
}
