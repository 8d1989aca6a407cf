using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Pretraining on table columns: learns how numbers are spread and which categories there are, reads the cells once, and lets the method
/// learn.
/// </summary>
public abstract class TabularPretrainingTrainer : PretrainingTrainer
{
    private readonly TabularPretrainingOptions _options;
    private readonly TabularEncoderFactory _encoder;
    private readonly string[] _columns;

    /// <summary>The estimator with its settings, which are checked and copied.</summary>
    protected TabularPretrainingTrainer(MLContext mlContext, TabularPretrainingOptions options, TabularEncoderFactory defaultEncoder)
        : base(mlContext, options)
    {
        _options = (TabularPretrainingOptions)Settings;
        _encoder = _options.Encoder ?? defaultEncoder;
        _columns = [.. _options.InputColumnNames];
    }

    /// <inheritdoc/>
    protected sealed override IReadOnlyList<string> TrainingColumns => _columns;

    /// <inheritdoc/>
    protected sealed override int EmbeddingDimension => _encoder.EmbeddingDimension;

    /// <summary>The method around a new encoder.</summary>
    protected abstract PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams);

    /// <inheritdoc/>
    protected sealed override string EmptyHint => "Every cell of every row is missing.";

    /// <inheritdoc/>
    protected sealed override void CheckColumn(string name, ColumnShape shape)
    {
        if (TableColumnKinds.Of(shape) is null)
            throw shape.Mismatch(name, TableColumnKinds.Expected, TableColumnKinds.Advice);
    }

    /// <inheritdoc/>
    protected sealed override RowFormat LearnFormat(IDataView input, IChannel channel)
    {
        var (columns, rows, warnings) = TableLearner.Learn(input, _columns,
            new TableLearner.Settings(_options.NumericScaling, _options.MinimumCategoryCount, _options.MaximumCategories),
                _options.CancellationToken);
        RequireRows(rows, "There are no rows.");
        var layout = columns.Layout;
        Inform(channel, FormattableString.Invariant($"columns read: {rows:N0} rows of {layout.NumericCount:N0} numbers and {layout.CategoricalCount:N0} categories ")
            + FormattableString.Invariant($"with {layout.TotalCategories:N0} entries"));
        foreach (var warning in warnings)
            Warn(channel, warning, MessageSensitivity.UserData | MessageSensitivity.Schema);
        return new TableRowFormat(_columns, columns, _encoder);
    }

    /// <inheritdoc/>
    protected sealed override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => CreateMethod((TabularEncoder)encoder, streams);

    private protected sealed override (RowFormat Format, Encoder Network) Kept(RowFormat format, PretrainingMethod method,
        BatchSource source, Device device)
    {
        var reconstructs = method as IReconstructsCells;
        var kept = reconstructs is null ? null : new TableRowFormat.Reconstruction(reconstructs.HiddenShare);
        var table = ((TableRowFormat)format).With(kept);
        return (_options.IncludeInputFeatures ? table.WithFeaturesOf(source, method.Encoder, device) : table,
            new TabularNetwork((TabularEncoder)method.Encoder, reconstructs?.Head, kept?.HiddenShare));
    }
}
