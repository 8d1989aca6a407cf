using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Fine-tunes a copy of a pretrained encoder to answer a yes-or-no question.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | the encoder's input column(s) | as the encoder reads them | what to predict from |
/// | label | Boolean | the answer |
/// | PredictedLabel | Boolean | whether the score is greater than 0 |
/// | Score | Single | log-odds of true |
/// | Probability | Single | probability of true |
///
/// ### Characteristics
/// | | |
/// | --- | --- |
/// | Needs labels | Yes |
/// | Needs normalization | No |
/// | Benefits from caching | No: rows and labels are kept in memory |
/// | GPU | Optional, `MLContext.GpuDeviceId` |
/// | Saved by `mlContext.Model.Save` | Yes |
///
/// ### Algorithm
/// Logistic loss on a head over the embedding, with label smoothing and class weights as options; AdamW over encoder and head, or over
/// the head alone. The probability is the sigmoid of the score and is not calibrated on rows of its own. A Boolean label cannot be
/// missing: to learn from rows without an answer too, map the answer to a key and use
/// `MulticlassFineTuningTrainer.Options.PseudoLabelThreshold`.
/// ]]></format>
/// </remarks>
public sealed class BinaryFineTuningTrainer : FineTuningTrainer
{
    internal BinaryFineTuningTrainer(MLContext mlContext, Options options) : base(mlContext, nameof(BinaryFineTuningTrainer), options)
    {
    }

    /// <summary>Settings of <see cref="BinaryFineTuningTrainer"/>.</summary>
    public sealed class Options : ClassificationOptions;

    private protected override PredictionKind Kind => PredictionKind.BinaryClassification;

    private protected override void CheckLabel(ColumnShape shape)
    {
        if (shape.Kind != SchemaShape.Column.VectorKind.Scalar || shape.ItemType is not BooleanDataViewType)
            throw Check.SchemaMismatch("label", Settings.LabelColumnName, "Boolean", shape.ToString(),
                "Two classes of another type are told apart by FineTune.MulticlassClassification.");
    }

    private protected override ValueGetter<double> LabelGetter(DataViewRow row, DataViewSchema.Column label)
    {
        var getter = row.GetGetter<bool>(label);
        var answer = false;
        return (ref double value) =>
        {
            getter(ref answer);
            value = answer ? 1 : 0;
        };
    }

    private protected override PredictionTask CreateTask(DataViewSchema.Column label, IReadOnlyList<double> labels)
    {
        if (labels.Distinct().Take(2).Count() < 2)
            throw new InvalidOperationException($"All {labels.Count} rows have the same label, '{labels[0] > 0}', in column "
                + $"'{label.Name}': there is nothing to tell apart. Give Fit rows of both classes.");
        return new PredictionTask(Kind);
    }

    private protected override FineTuningMethod CreateMethod(Encoder encoder, PredictionHead head, PredictionTask task,
        IReadOnlyList<double> labels)
    {
        var options = (Options)Settings;
        (float, float)? weights = options.ClassWeights == ClassWeights.Balanced
            && BalancedWeights.Of(labels, 2) is [var negative, var positive]
            ? (negative, positive) : null;
        return new Tasks.BinaryClassification(encoder, head, options.Tuning, options.LabelSmoothing,
            weights);
    }

    private protected override void InitializeHead(PredictionHead head, Encoder encoder, CachedBatchSource training, PredictionTask task)
    {
        var options = (Options)Settings;
        if (options.HeadInitialization == HeadInitialization.ClassMeans)
            ClassMeansHead.Fill(head, encoder, training, 2, areBalanced: options.ClassWeights == ClassWeights.Balanced);
    }
}
