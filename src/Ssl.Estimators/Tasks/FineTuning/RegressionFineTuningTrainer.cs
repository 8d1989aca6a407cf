using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Fine-tunes a copy of a pretrained encoder to predict a number.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | the encoder's input column(s) | as the encoder reads them | what to predict from |
/// | label | Single, or another number | the number; rows where it is NaN or infinite are left out |
/// | Score | Single | the predicted number |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | Yes |
/// | Needs normalization | No: labels are standardized inside |
/// | Benefits from caching | No: rows and labels are kept in memory |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// Squared error of a head over the embedding against the standardized label; AdamW over encoder and head, or over the head alone.
/// ]]></format>
/// </remarks>
public sealed class RegressionFineTuningTrainer : FineTuningTrainer
{
    internal RegressionFineTuningTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(RegressionFineTuningTrainer), options)
    {
    }

    /// <summary>Settings of <see cref="RegressionFineTuningTrainer"/>.</summary>
    public sealed class Options : FineTuningOptions;

    private protected override PredictionKind Kind => PredictionKind.Regression;

    private protected override void CheckLabel(ColumnShape shape)
    {
        if (shape.Kind != SchemaShape.Column.VectorKind.Scalar || shape.IsKey || shape.ItemType is not NumberDataViewType)
            throw Check.SchemaMismatch("label", Settings.LabelColumnName, "a number", shape.ToString(),
                "Convert it first: mlContext.Transforms.Conversion.ConvertType(…, DataKind.Double).");
    }

    private protected override ValueGetter<double> LabelGetter(DataViewRow row, DataViewSchema.Column label) 
        => NumberColumns.OpenOne(row, label);

    private protected override PredictionTask CreateTask(DataViewSchema.Column label, IReadOnlyList<double> labels)
    {
        var task = PredictionTask.OfValues(labels, label.Name);
        if (!(task.Deviation > 0))
            throw new InvalidOperationException(FormattableString.Invariant(
                $"All {labels.Count} rows have the same label, {labels[0]}, in column ")
                + $"'{label.Name}': there is nothing to learn. Give Fit rows with different labels.");
        return task;
    }

    private protected override FineTuningMethod CreateMethod(Encoder encoder, PredictionHead head, PredictionTask task,
        IReadOnlyList<double> labels)
        => new Tasks.Regression(encoder, head, Settings.Tuning, task.Mean, task.Deviation);
}
