using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Fitted detector of anomalies: adds <c>PredictedLabel</c> (<see cref="bool"/>: whether the score is above the threshold) and <c>Score</c>
/// (<see cref="float"/>: the larger, the stranger; NaN where the row has no usable vector), the columns of ML.NET's own detectors. Lazy,
/// batched, order-preserving; any number of threads may score at once. Dispose of it when it is no longer needed.
/// </summary>
public sealed class AnomalyScoreTransformer : ITransformer, IDisposable
{
    private readonly MLContext _mlContext;
    private readonly AnomalyModel _model;

    internal AnomalyScoreTransformer(MLContext mlContext, AnomalyModel model) => (_mlContext, _model) = (mlContext, model);

    /// <summary>What makes a row an anomaly.</summary>
    public AnomalyMethod Method => _model.Method;

    /// <summary>Rows with a larger score are anomalies: the score that the contamination fraction of the reference rows exceeds.</summary>
    public float Threshold => _model.Threshold;

    /// <summary>Names of the columns that it scores.</summary>
    public IReadOnlyList<string> InputColumnNames => _model.InputColumns;

    /// <summary>Always true: a row's score depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema, the predicted label and the score.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _model.Lifetime.ThrowIfClosed();
        _model.CheckInput(inputSchema);
        return AnomalyColumns.Append(inputSchema);
    }

    /// <summary>Scores row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => _model.CreateMapper(inputSchema, GetOutputSchema(inputSchema), ScoringSettings.Of(_mlContext));

    /// <summary>The data with predicted label and score; computed when rows are read.</summary>
    /// <param name="input">Holds the input columns.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return _model.CreateView(input, GetOutputSchema(input.Schema), EncoderTransformer.BatchSize,
            ScoringSettings.Of(_mlContext));
    }

    /// <summary>Frees what was learned. The disposal of a <c>PredictionEngine</c> frees nothing: it does not own the model.</summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _model.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _model.WriteArchive);
}
