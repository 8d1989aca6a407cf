using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Interop;

namespace Ssl.Estimators.Transformers;

/// <summary>The output columns of a prediction, of the names, types and annotations that ML.NET's own trainers give them.</summary>
internal static class PredictionColumns
{
    public const string PredictedLabel = "PredictedLabel", Score = "Score", Probability = "Probability";

    private const string KeyValues = "KeyValues", SlotNames = "SlotNames", TrainingLabelValues = "TrainingLabelValues";
    private const string ScoreColumnKind = "ScoreColumnKind", ScoreColumnSetId = "ScoreColumnSetId", ScoreValueKind = "ScoreValueKind";
    private const string IsNormalized = "IsNormalized";

    private static readonly KeyDataViewType s_setIdType = new(typeof(uint), int.MaxValue);

    /// <summary>The input's columns and those of the prediction.</summary>
    public static DataViewSchema Append(DataViewSchema input, PredictionTask task)
    {
        var setId = NextSetId(input);
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        foreach (var name in Names(task.Kind))
            schema.AddColumn(name, TypeOf(task, name), Annotations(task, name, setId));
        return schema.ToSchema();
    }

    /// <summary>The same before Fit: the columns that ML.NET's own trainer of the kind would add, annotations and all.</summary>
    /// <param name="input">With the label column, whose type was checked.</param>
    /// <param name="kind">What is predicted.</param>
    /// <param name="labelColumn">Name of the label column.</param>
    public static SchemaShape Append(SchemaShape input, PredictionKind kind, string labelColumn)
        => SchemaShapes.AppendPrediction(input, labelColumn, (mlContext, label, features) => kind switch
        {
            PredictionKind.MulticlassClassification => Multiclass(mlContext, label, features),
            PredictionKind.BinaryClassification => mlContext.BinaryClassification.Trainers.LbfgsLogisticRegression(label, features),
            _ => mlContext.Regression.Trainers.Sdca(label, features),
        }, Names(kind));

    /// <summary>The same for classes that are texts which no column holds.</summary>
    public static SchemaShape AppendClasses(SchemaShape input)
        => SchemaShapes.AppendClasses(input, Multiclass, Names(PredictionKind.MulticlassClassification));

    private static IEstimator<ITransformer> Multiclass(MLContext mlContext, string label, string features)
        => mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy(label, features);

    /// <summary>Names of the output columns in their order.</summary>
    public static IReadOnlyList<string> Names(PredictionKind kind) => kind switch
    {
        PredictionKind.MulticlassClassification => [PredictedLabel, Score],
        PredictionKind.BinaryClassification => [PredictedLabel, Score, Probability],
        _ => [Score],
    };

    /// <summary>A getter of an output column over the numbers of a row.</summary>
    public static Delegate CreateGetter(PredictionTask task, int output, Func<ReadOnlyMemory<float>> row,
        Func<Func<ReadOnlyMemory<float>>, ValueGetter<VBuffer<float>>> vectorGetter) => (task.Kind, Names(task.Kind)[output]) switch
    {
        (PredictionKind.MulticlassClassification, PredictedLabel) => (ValueGetter<uint>)(
            (ref uint value) => value = (uint)(PredictionTask.Best(row().Span) + 1)),
        (PredictionKind.MulticlassClassification, _) => vectorGetter(row),
        (_, PredictedLabel) => (ValueGetter<bool>)((ref bool value) => value = row().Span[0] > 0),
        (_, Probability) => (ValueGetter<float>)((ref float value) => value = row().Span[1]),
        _ => (ValueGetter<float>)((ref float value) => value = row().Span[0]),
    };

    private static DataViewType TypeOf(PredictionTask task, string name) => (task.Kind, name) switch
    {
        (PredictionKind.MulticlassClassification, PredictedLabel) => new KeyDataViewType(typeof(uint), task.HeadOutputs),
        (PredictionKind.MulticlassClassification, _) => new VectorDataViewType(NumberDataViewType.Single, task.HeadOutputs),
        (_, PredictedLabel) => BooleanDataViewType.Instance,
        _ => NumberDataViewType.Single,
    };

    private static DataViewSchema.Annotations Annotations(PredictionTask task, string name, uint setId)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        AddText(ScoreColumnKind, task.Kind.ToString());
        AddText(ScoreValueKind, name);
        annotations.AddPrimitiveValue(ScoreColumnSetId, s_setIdType, setId);
        if (name == Probability)
            annotations.AddPrimitiveValue(IsNormalized, BooleanDataViewType.Instance, true);
        if (task.Classes is { } classes)
        {
            classes.AddTo(annotations, name == PredictedLabel ? KeyValues : TrainingLabelValues);
            if (name == Score && classes.IsText)
                classes.AddTo(annotations, SlotNames);
        }
        return annotations.ToAnnotations();

        void AddText(string kind, string value) => annotations.AddPrimitiveValue(kind, TextDataViewType.Instance, value.AsMemory());
    }

    // Columns of one model share a number that no model before it has: how an evaluator finds what belongs together.
    internal static uint NextSetId(DataViewSchema input)
    {
        uint largest = 0;
        foreach (var column in input)
        {
            if (column.Annotations.Schema.GetColumnOrNull(ScoreColumnSetId)?.Type is KeyDataViewType { RawType: var type }
                && type == typeof(uint))
            {
                uint value = 0;
                column.Annotations.GetValue(ScoreColumnSetId, ref value);
                largest = Math.Max(largest, value);
            }
        }
        return largest + 1;
    }
}
