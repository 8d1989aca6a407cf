using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Methods;

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

    private protected sealed override IReadOnlyList<string> TrainingColumns => _columns;

    private protected sealed override int EmbeddingDimension => _encoder.EmbeddingDimension;

    /// <summary>The method around a new encoder.</summary>
    protected abstract PretrainingMethod CreateMethod(TabularEncoder encoder, RandomStreams streams);

    private protected sealed override void CheckColumn(string name, ColumnShape shape)
    {
        if (TableColumnKinds.Of(shape) is null)
            throw Check.SchemaMismatch("input", name, TableColumnKinds.Expected, shape.ToString());
    }

    private protected sealed override PretrainingRun Prepare(IDataView input, RandomStreams streams, IChannel channel)
    {
        var (columns, rows) = TableLearner.Learn(input, _columns,
            new TableLearner.Settings(_options.NumericScaling, _options.MinimumCategoryCount, _options.MaximumCategories),
                _options.CancellationToken);
        RequireRows(rows, "There are no rows.");
        var layout = columns.Layout;
        channel.Info(MessageSensitivity.None, "columns read: {0:N0} rows of {1:N0} numbers and {2:N0} categories with {3:N0} entries", rows,
            layout.NumericCount, layout.CategoricalCount, layout.TotalCategories);
        var source = ReadRows(input, new TableRowFormat(_columns, columns), streams, channel,
            "Every cell of every row is missing.");
        var encoder = _encoder.Create(layout, streams);
        var method = CreateMethod(encoder, streams);
        return new PretrainingRun(method, source, CreateModel,
            new Dictionary<string, JsonNode>
            {
                [nameof(_options.Encoder)] = _encoder.ToJson(), ["ScalesAndCategories"] = columns.ToJson(),
            });

        EncoderModel CreateModel(Device device, TrainingResult? result)
        {
            var reconstructs = method as IReconstructsCells;
            return TableEncoderModel.CopyOf(encoder, reconstructs?.Head,
                reconstructs is null ? null : new TableEncoderModel.Reconstruction(reconstructs.HiddenShare), _encoder, columns, device,
                _options.OutputColumnName, TrainingFacts.Of(GetType().Name, result),
                _options.IncludeInputFeatures ? LearnFeatures(device) : null);
        }

        TableFeatures LearnFeatures(Device device)
        {
            encoder.eval();
            return TableFeatures.Learn(columns.Layout, source.Epoch(0, CancellationToken.None).Select(batch => (TableBatch)batch[0]), batch =>
            {
                using (batch)
                    return encoder.call(batch.To(device)).to(ScalarType.Float32);
            });
        }
    }
}
