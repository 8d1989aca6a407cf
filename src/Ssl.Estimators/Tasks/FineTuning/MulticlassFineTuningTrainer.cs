using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators;

/// <summary>Fine-tunes a copy of a pretrained encoder to tell several classes apart.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
/// ### Input and output columns
/// | column | type | meaning |
/// | --- | --- | --- |
/// | the encoder's input column(s) | as the encoder reads them | what to predict from |
/// | label | Key of UInt32 | the class; rows without one are left out |
/// | PredictedLabel | Key of UInt32, with the label's values | the class with the largest probability |
/// | Score | known-size vector of Single, slots named by the classes | a probability for each class |
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
/// Softmax cross-entropy on a head over the embedding, with label smoothing (Szegedy et al., 2016) and class weights as options; AdamW
/// over encoder and head, as Devlin et al., "BERT", 2019, do it, or over the head alone.
/// ]]></format>
/// </remarks>
public sealed class MulticlassFineTuningTrainer : FineTuningTrainer
{
    internal MulticlassFineTuningTrainer(MLContext mlContext, Options options)
        : base(mlContext, nameof(MulticlassFineTuningTrainer), options)
    {
    }

    /// <summary>Settings of <see cref="MulticlassFineTuningTrainer"/>.</summary>
    public sealed class Options : ClassificationOptions
    {
        /// <summary>
        /// Uses rows whose label is missing: a first model gives a class to those where its probability is at least this; a second one,
        /// again from the pretrained encoder, learns from them and the labeled rows. Null leaves rows without a label out. In (0, 1].
        /// </summary>
        /// <value>The default value is null.</value>
        [OptionRange(Above = 0, Maximum = 1)]
        public double? PseudoLabelThreshold { get; set; }

        /// <summary>
        /// Rows a class that get a label in this way, those with the largest probability, against one class swallowing all. Null means
        /// no limit. At least 1.
        /// </summary>
        /// <value>The default value is null.</value>
        [OptionRange(Minimum = 1)]
        public int? MaximumPseudoLabelsPerClass { get; set; }
    }

    private protected override PseudoLabels? PseudoLabeling
    {
        get
        {
            var options = (Options)Settings;
            return options.PseudoLabelThreshold is { } threshold ? new PseudoLabels(threshold, options.MaximumPseudoLabelsPerClass) : null;
        }
    }

    private protected override PredictionKind Kind => PredictionKind.MulticlassClassification;

    private protected override void CheckLabel(ColumnShape shape)
    {
        var raw = shape.ItemType is KeyDataViewType key ? key.RawType : shape.ItemType.RawType;
        if (shape.Kind != SchemaShape.Column.VectorKind.Scalar || !shape.IsKey || raw != typeof(uint))
            throw Check.SchemaMismatch("label", Settings.LabelColumnName, "Key<UInt32>", shape.ToString(),
                "Map it to keys first: mlContext.Transforms.Conversion.MapValueToKey(…).");
    }

    private protected override ValueGetter<double> LabelGetter(DataViewRow row, DataViewSchema.Column label)
    {
        var getter = row.GetGetter<uint>(label);
        uint key = 0;
        return (ref double value) =>
        {
            getter(ref key);
            value = key == 0 ? double.NaN : key - 1;     // raw keys count from 1; 0 is missing
        };
    }

    private protected override PredictionTask CreateTask(DataViewSchema.Column label, IReadOnlyList<double> labels)
    {
        var classes = ClassValues.Of(label);
        if (labels.Distinct().Take(2).Count() < 2)
            throw new InvalidOperationException(
                $"All {labels.Count} rows have the same label, '{classes.Texts[(int)labels[0]]}', in column "
                + $"'{label.Name}': there is nothing to tell apart. Give Fit rows of at least two classes.");
        return new PredictionTask(Kind, classes);
    }

    private protected override FineTuningMethod CreateMethod(Encoder encoder, PredictionHead head, PredictionTask task,
        IReadOnlyList<double> labels)
    {
        var options = (Options)Settings;
        return new Tasks.MulticlassClassification(encoder, head, options.Tuning,
            options.LabelSmoothing,
            options.ClassWeights == ClassWeights.Balanced ? BalancedWeights.Of(labels, task.HeadOutputs) : null);
    }

    private protected override void InitializeHead(PredictionHead head, Encoder encoder, CachedBatchSource training, PredictionTask task)
    {
        var options = (Options)Settings;
        if (options.HeadInitialization == HeadInitialization.ClassMeans)
            ClassMeansHead.Fill(head, encoder, training, task.HeadOutputs, areBalanced: options.ClassWeights == ClassWeights.Balanced);
    }
}

/// <summary>Weights under which all classes count the same.</summary>
internal static class BalancedWeights
{
    /// <summary>rows / (classes present x rows of the class); 1 for a class without rows.</summary>
    public static float[] Of(IReadOnlyList<double> labels, int numberOfClasses)
    {
        var counts = new int[numberOfClasses];
        foreach (var label in labels)
            counts[(int)label]++;
        var present = counts.Count(count => count > 0);
        return [.. counts.Select(count => count == 0 ? 1 : labels.Count / ((float)present * count))];
    }
}
