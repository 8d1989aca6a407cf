using Microsoft.ML.Data;
using Microsoft.ML.Numeric;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Multinomial logistic regression.</summary>
public sealed class LbfgsMaximumEntropyMulticlassTrainer
    : LbfgsTrainerBase<LbfgsMaximumEntropyMulticlassTrainer.Options, MulticlassPredictionTransformer<MaximumEntropyModelParameters>,
        MaximumEntropyModelParameters>
{
    internal LbfgsMaximumEntropyMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, options, MakeLabel(options.LabelColumnName, NumberDataViewType.UInt32, isKey: true))
    {
    }

    /// <summary>Goes on from a model that was trained before.</summary>
    public MulticlassPredictionTransformer<MaximumEntropyModelParameters> Fit(
        IDataView trainData, MaximumEntropyModelParameters modelParameters) =>
        Train(trainData, modelParameters);

    private protected override MaximumEntropyModelParameters TrainModel(
        TrainingRows rows, DataViewType labelType, object initial, IChannel channel)
    {
        var classes = checked((int)((KeyDataViewType)labelType).Count);
        if (initial is MaximumEntropyModelParameters { Parameters: var start })
        {
            Host.Check(((IScoringModel)initial).ScoreCount == classes,
                "The initialization predictor has different number of classes than the training data.");
        }
        else
        {
            start = null;
        }

        // Stops when the geometrically weighted mean of the improvements falls below the tolerance.
        const float decay = 0.25f;
        var improvement = 0f;
        var parameters = Optimize(
            rows,
            classes,
            RowLoss,
            state =>
            {
                improvement = state.LastValue - state.Value + (decay * improvement);
                return improvement * (1 - decay) / (1 - MathF.Pow(decay, state.Iteration)) < Tolerance
                    || state.Iteration >= MaximumIterations;
            },
            start,
            channel);
        if (classes == 1)
        {
            channel.Warning(MessageSensitivity.None, "Training resulted in a one class predictor");
        }

        return new MaximumEntropyModelParameters(classes, parameters);
    }

    private protected override MulticlassPredictionTransformer<MaximumEntropyModelParameters> MakeTransformer(
        MaximumEntropyModelParameters model, DataViewType featureType, DataViewSchema label) =>
            new(Host, model, FeatureColumn.Name, featureType, label);

    private protected override SchemaShape.Column[] OutputColumns(SchemaShape inputSchema)
    {
        inputSchema.TryFindColumn(LabelColumn.Name, out var label);
        var keyValues = label.Annotations.Where(annotation => annotation.Name == AnnotationKinds.KeyValues).ToArray();
        var names = keyValues.Where(annotation => annotation.Kind == SchemaShape.Column.VectorKind.Vector).ToArray();
        return
        [
            new(
                "Score",
                SchemaShape.Column.VectorKind.Vector,
                NumberDataViewType.Single,
                false,
                new SchemaShape([
                    .. names.Where(name => name.ItemType is TextDataViewType).Select(name => name.Rename(AnnotationKinds.SlotNames)),
                    .. names.Select(name => name.Rename(AnnotationKinds.TrainingLabelValues)),
                    .. TrainerAnnotations()])),
            new("PredictedLabel", SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true,
                new SchemaShape([.. keyValues, .. TrainerAnnotations()])),
        ];
    }

    // Cross-entropy: log of the sum of exp(scores) minus the label's score; derivative: probabilities minus the label's indicator.
    private static float RowLoss(Span<float> scores, float label)
    {
        var total = FloatMath.LogSumExp(scores);
        var loss = total - scores[(int)label];
        Contracts.Check(null, float.IsFinite(loss), "Data contain bad values.");
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = MathF.Exp(scores[i] - total);
        }

        scores[(int)label]--;
        return loss;
    }

    public sealed class Options : OptionsBase
    {
        public bool ShowTrainingStatistics;
    }
}
