using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// A fine-tuned encoder: predicts from the encoder's input columns, with the output columns of ML.NET's own trainers. Lazy (nothing is
/// computed until rows are read), batched, order-preserving; any number of threads may score at once. Dispose of it when it is no longer
/// needed: it holds the network's weights.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Multiclass</term><description><c>PredictedLabel</c>, a key with the label's values; <c>Score</c>, a known-size vector of
/// <see cref="float"/>: a probability for each class.</description></item>
/// <item><term>Binary</term><description><c>PredictedLabel</c>, <see cref="bool"/>; <c>Score</c> and <c>Probability</c>,
/// <see cref="float"/>: the log-odds and the probability of true.</description></item>
/// <item><term>Regression</term><description><c>Score</c>, <see cref="float"/>: the predicted value.</description></item>
/// </list>
/// </remarks>
public sealed class FineTunedTransformer : ISingleFeaturePredictionTransformer<FineTunedTransformer>, IDisposable
{
    private readonly MLContext _mlContext;
    private readonly FineTunedModel _model;

    internal FineTunedTransformer(MLContext mlContext, FineTunedModel model) => (_mlContext, _model) = (mlContext, model);

    /// <summary>Names of the columns that it predicts from.</summary>
    public IReadOnlyList<string> InputColumnNames => _model.InputColumns;

    /// <summary>Names of the columns that it adds, in their order.</summary>
    public IReadOnlyList<string> OutputColumnNames => PredictionColumns.Names(_model.Task.Kind);

    /// <summary>
    /// What the texts that it was trained on lost because the encoder takes no more tokens; <see langword="null"/> for other columns, and for a
    /// model whose file does not tell.
    /// </summary>
    public TruncationCounts? TrainingTruncation => _model.TrainingTruncation;

    /// <summary>
    /// What the texts that it has predicted from since it was made or loaded lost because the encoder takes no more tokens, in all views and
    /// engines together; <see langword="null"/> for other columns. May be read from any thread while others predict.
    /// </summary>
    public TruncationCounts? Truncation => _model.Format.Truncates ? _model.Truncation.Counts : null;

    /// <summary>Always true: a row's prediction depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>What predicts.</summary>
    internal FineTunedModel Model => _model;

    // What PermutationFeatureImportance asks of a transformer of another assembly: the column whose slots it shuffles.
    string ISingleFeaturePredictionTransformer<FineTunedTransformer>.FeatureColumnName => InputColumnNames is [var only] ? only
        : throw new InvalidOperationException($"The model predicts from {InputColumnNames.Count} columns "
            + $"({string.Join(", ", InputColumnNames)}), and what needs one feature column, such as PermutationFeatureImportance, cannot "
            + "choose. Pretrain on one vector column that Concatenate made of them.");

    DataViewType ISingleFeaturePredictionTransformer<FineTunedTransformer>.FeatureColumnType
        => _model.Format.ColumnType;

    FineTunedTransformer IPredictionTransformer<FineTunedTransformer>.Model => this;

    /// <summary>The input's schema and the columns of the prediction.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">An input column is missing or has another type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _model.Lifetime.ThrowIfClosed();
        _model.Format.CheckColumns(inputSchema);
        return PredictionColumns.Append(inputSchema, _model.Task);
    }

    /// <summary>Predicts row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(_model, inputSchema, GetOutputSchema(inputSchema), ScoringSettings.Of(_mlContext));

    /// <summary>The data with the columns of the prediction; computed when rows are read.</summary>
    /// <param name="input">Holds the input column(s).</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), _model, EncoderTransformer.BatchSize,
            ScoringSettings.Of(_mlContext));
    }

    /// <summary>Frees the weights. The disposal of a <c>PredictionEngine</c> frees nothing: it does not own the model.</summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _model.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _model.WriteArchive);
}
