using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>
/// Predicts a label by the vote of the nearest reference rows, with the output columns of ML.NET's own trainers. Lazy, batched,
/// order-preserving; any number of threads may predict at once. Dispose of it when it is no longer needed: it holds the reference vectors.
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>Multiclass</term><description><c>PredictedLabel</c>, a key with the label's values, missing where the row has no neighbors
/// (a vector of zeros, NaN or infinite values), the first class of those with equal votes; <c>Score</c>, a known-size vector of <see cref="float"/>: the share of the votes of each class, from 0 to 1.</description></item>
/// <item><term>Binary</term><description><c>PredictedLabel</c>, <see cref="bool"/>; <c>Score</c>, <see cref="float"/> from -1 to 1: votes
/// for true less votes for false; <c>Probability</c>, <see cref="float"/> from 0 to 1: the share of the votes for true. It is 0 or 1 where
/// all neighbors agree, and not calibrated.</description></item>
/// <item><term>Regression</term><description><c>Score</c>, <see cref="float"/>: the weighted mean of the neighbors'
/// labels.</description></item>
/// </list>
/// </remarks>
public sealed class NearestNeighborsPredictionTransformer : ITransformer, IDisposable
{
    private readonly NeighborPredictor _predictor;

    internal NearestNeighborsPredictionTransformer(NeighborPredictor predictor) => _predictor = predictor;

    /// <summary>Name of the column of vectors.</summary>
    public string FeatureColumnName => _predictor.InputColumn;

    /// <summary>Names of the columns that it adds, in their order.</summary>
    public IReadOnlyList<string> OutputColumnNames => PredictionColumns.Names(_predictor.Task.Kind);

    /// <summary>How many neighbors vote.</summary>
    public int NumberOfNeighbors => _predictor.NumberOfNeighbors;

    /// <summary>Number of reference rows; those without direction or label do not count.</summary>
    public int ReferenceCount => _predictor.ReferenceCount;

    /// <summary>Always true: a row's prediction depends on that row alone.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The input's schema and the columns of the prediction.</summary>
    /// <param name="inputSchema">Schema of the data.</param>
    /// <exception cref="ArgumentOutOfRangeException">The column of vectors is missing, has another type or another length.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _predictor.Lifetime.ThrowIfClosed();
        _predictor.CheckInput(inputSchema);
        return PredictionColumns.Append(inputSchema, _predictor.Task);
    }

    /// <summary>Predicts row by row; what <c>PredictionEngine</c> uses.</summary>
    /// <param name="inputSchema">Schema of the rows.</param>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new EncoderRowMapper(_predictor, inputSchema, GetOutputSchema(inputSchema));

    /// <summary>The data with the columns of the prediction; computed when rows are read.</summary>
    /// <param name="input">Holds the column of vectors.</param>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return EncodedDataView.Of(input, GetOutputSchema(input.Schema), _predictor, NearestNeighborsTransformer.BatchSize);
    }

    /// <summary>
    /// Frees the reference vectors. The disposal of a <c>PredictionEngine</c> frees nothing: it does not own the model.
    /// </summary>
    public void Dispose()
    {
        if (!EngineDisposal.IsUnderWay())
            _predictor.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => ModelFiles.Save(ctx, _predictor.WriteArchive);
}
