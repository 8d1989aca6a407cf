using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Predicts a label learned from few labeled rows, with the output columns of ML.NET's own trainers. Lazy, batched, order-preserving; any
/// number of threads may predict at once.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Multiclass</term><description><c>PredictedLabel</c>, a key with the label's values; <c>Score</c>, a known-size vector of
/// <see cref="float"/>: a calibrated probability for each class.</description></item>
/// <item><term>Binary</term><description><c>PredictedLabel</c>, <see cref="bool"/>; <c>Score</c> and <c>Probability</c>,
/// <see cref="float"/>: the log-odds and the calibrated probability of true.</description></item>
/// <item><term>Regression</term><description><c>Score</c>, <see cref="float"/>: the predicted value.</description></item>
/// </list>
/// A row whose vector holds a number that is not finite has no prediction: NaN, a missing key.
/// </remarks>
public sealed class FewLabelsTransformer : ITransformer, IDisposable
{
    private readonly FewLabelsModel _model;
    private readonly RowFewLabelsModel? _ofRows;

    /// <param name="model">What predicts.</param>
    /// <param name="encoders">Embed the row itself behind the vector of the column. Owned from here on.</param>
    internal FewLabelsTransformer(FewLabelsModel model, FewLabelsEncoders encoders)
    {
        _model = model;
        _ofRows = encoders.All.Count == 0 ? null : new RowFewLabelsModel(model, encoders);
    }

    internal FewLabelsModel Model => _model;

    /// <summary>The encoders of its own.</summary>
    internal FewLabelsEncoders Encoders => _ofRows?.Encoders ?? new FewLabelsEncoders(null, null);

    /// <summary>Length of the column's vectors.</summary>
    internal int ColumnWidth => _ofRows?.ColumnWidth ?? _model.Dimension;

    /// <summary>Name of the column of vectors.</summary>
    public string FeatureColumnName => _model.InputColumn;

    /// <summary>
    /// Names of the columns that it reads beside that one: those that the encoder of the column reads, where a copy of it was adapted to the
    /// labeled rows, or what stands in them plainly counts; else empty.
    /// </summary>
    public IReadOnlyList<string> EncodedColumnNames => _ofRows?.InputColumns ?? [];

    /// <summary>Names of the columns that it adds, in their order.</summary>
    public IReadOnlyList<string> OutputColumnNames => PredictionColumns.Names(_model.Task.Kind);

    /// <summary>What was tried, how it did on rows that it had not seen, and how much it counts.</summary>
    public IReadOnlyList<FewLabelsCandidate> Candidates => _model.Candidates;

    /// <summary>Always true: a row's prediction depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema and the columns of the prediction.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column of vectors is missing, has another type or another length.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _model.CheckInput(inputSchema, ColumnWidth);
        _ofRows?.Lifetime.ThrowIfClosed();
        _ofRows?.Format.CheckColumns(inputSchema);
        return PredictionColumns.Append(inputSchema, _model.Task);
    }

    /// <summary>Predicts row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(Computation, inputSchema, GetOutputSchema(inputSchema));

    /// <summary>The data with the columns of the prediction; computed when rows are read.</summary>
    /// <param name="input">Holds the column of vectors.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), Computation, NearestNeighborsTransformer.BatchSize);
    }

    /// <summary>Frees the encoders of its own, where there are some. The disposal of a <c>PredictionEngine</c> frees nothing.</summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _ofRows?.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _ofRows is null ? _model.WriteArchive : _ofRows.WriteArchive);

    private RowComputation Computation => (RowComputation?)_ofRows ?? _model;
}
