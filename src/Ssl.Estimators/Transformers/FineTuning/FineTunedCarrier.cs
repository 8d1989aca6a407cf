using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.Estimators.Persistence;

namespace Ssl.Estimators.Transformers;

/// <summary>Prediction of several classes: probabilities in parts, and the value of the best class as text.</summary>
internal sealed class MulticlassOutput : EmbeddingOutput
{
    /// <summary>The value of the class; empty where there is none.</summary>
    [ColumnName(CarrierColumns.Second)]
    public ReadOnlyMemory<char> PredictedValue { get; set; }
}

/// <summary>Prediction of two classes.</summary>
internal sealed class BinaryOutput
{
    [ColumnName(PredictionColumns.PredictedLabel)] public bool PredictedLabel { get; set; }
    [ColumnName(PredictionColumns.Score)] public float Score { get; set; }
    [ColumnName(PredictionColumns.Probability)] public float Probability { get; set; }
}

/// <summary>Prediction of a value.</summary>
internal sealed class RegressionOutput
{
    [ColumnName(PredictionColumns.Score)] public float Score { get; set; }
}

/// <summary>Predicts one of several classes with the carried model.</summary>
/// <typeparam name="TInput">What it reads.</typeparam>
internal abstract class MulticlassMapping<TInput> : CustomMappingFactory<TInput, MulticlassOutput>
    where TInput : class, ICarrierInput, new()
{
    /// <summary>The mapping.</summary>
    public static void Map(TInput input, MulticlassOutput output)
    {
        var model = FineTunedCarrier.Cache.Get(input.State);
        var probabilities = FineTunedCarrier.Predict(model, input);
        output.Fill(probabilities);
        var best = PredictionTask.Best(probabilities);
        output.PredictedValue = best < 0 ? default : model.Task.Classes!.Texts[best].AsMemory();
    }

    /// <inheritdoc/>
    public override Action<TInput, MulticlassOutput> GetMapping() => Map;
}

/// <summary>Predicts one of two classes with the carried model.</summary>
/// <typeparam name="TInput">What it reads.</typeparam>
internal abstract class BinaryMapping<TInput> : CustomMappingFactory<TInput, BinaryOutput> where TInput : class, ICarrierInput, new()
{
    /// <summary>The mapping.</summary>
    public static void Map(TInput input, BinaryOutput output)
    {
        var numbers = FineTunedCarrier.Predict(FineTunedCarrier.Cache.Get(input.State), input);
        (output.PredictedLabel, output.Score, output.Probability) = (numbers[0] > 0, numbers[0], numbers[1]);
    }

    /// <inheritdoc/>
    public override Action<TInput, BinaryOutput> GetMapping() => Map;
}

/// <summary>Predicts a value with the carried model.</summary>
/// <typeparam name="TInput">What it reads.</typeparam>
internal abstract class RegressionMapping<TInput> : CustomMappingFactory<TInput, RegressionOutput>
    where TInput : class, ICarrierInput, new()
{
    /// <summary>The mapping.</summary>
    public static void Map(TInput input, RegressionOutput output)
        => output.Score = FineTunedCarrier.Predict(FineTunedCarrier.Cache.Get(input.State), input)[0];

    /// <inheritdoc/>
    public override Action<TInput, RegressionOutput> GetMapping() => Map;
}

// One class for each form of input and kind of prediction: the contract is how a loaded chain finds its code.

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Texts.Multiclass")]
internal sealed class TextsMulticlassMapping : MulticlassMapping<TextsInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Texts.Binary")]
internal sealed class TextsBinaryMapping : BinaryMapping<TextsInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Texts.Regression")]
internal sealed class TextsRegressionMapping : RegressionMapping<TextsInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Numbers.Multiclass")]
internal sealed class NumbersMulticlassMapping : MulticlassMapping<NumbersInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Numbers.Binary")]
internal sealed class NumbersBinaryMapping : BinaryMapping<NumbersInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Numbers.Regression")]
internal sealed class NumbersRegressionMapping : RegressionMapping<NumbersInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Mixed.Multiclass")]
internal sealed class MixedMulticlassMapping : MulticlassMapping<MixedInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Mixed.Binary")]
internal sealed class MixedBinaryMapping : BinaryMapping<MixedInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Mixed.Regression")]
internal sealed class MixedRegressionMapping : RegressionMapping<MixedInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Images.Multiclass")]
internal sealed class ImagesMulticlassMapping : MulticlassMapping<ImagesInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Images.Binary")]
internal sealed class ImagesBinaryMapping : BinaryMapping<ImagesInput>;

[CustomMappingFactoryAttribute(FineTunedCarrier.Prefix + "Images.Regression")]
internal sealed class ImagesRegressionMapping : RegressionMapping<ImagesInput>;

/// <summary>Saves a fine-tuned model as a chain of built-in transformers.</summary>
internal static class FineTunedCarrier
{
    /// <summary>Begins the names of the contracts.</summary>
    public const string Prefix = "Ssl.Estimators.Carrier.";

    /// <summary>The models of this process's loaded chains.</summary>
    public static CarrierCache<FineTunedModel> Cache { get; } = new(FineTunedModel.Read);

    /// <summary>The numbers of one row.</summary>
    public static float[] Predict(FineTunedModel model, ICarrierInput input)
    {
        var numbers = new float[model.Width];
        model.Compute([input.ToRow()], numbers);
        return numbers;
    }

    /// <summary>Writes a model where <c>mlContext.Model.Save</c> wants it.</summary>
    public static void Save(FineTunedModel model, ModelSaveContext context)
    {
        var mlContext = new MLContext();
        var transforms = mlContext.Transforms;
        var form = CarrierInputs.FormOf(model.InputKinds);
        var mapping = form switch
        {
            CarrierForm.Texts => Mapping<TextsInput>(transforms, form, model.Task.Kind),
            CarrierForm.Images => Mapping<ImagesInput>(transforms, form, model.Task.Kind),
            CarrierForm.Numbers => Mapping<NumbersInput>(transforms, form, model.Task.Kind),
            _ => Mapping<MixedInput>(transforms, form, model.Task.Kind),
        };
        using var chain = CarrierChain.Build(mlContext, model.WriteArchive, CarrierInputs.Columns(model.InputColumns, model.InputKinds),
            CarrierInputs.Fix(transforms, model.InputColumns, model.InputKinds), mapping, Outputs(mlContext, model.Task));
        ((ICanSaveModel)chain).Save(context);
    }

    private static IEstimator<ITransformer> Mapping<TInput>(TransformsCatalog transforms, CarrierForm form, PredictionKind kind)
        where TInput : class, ICarrierInput, new() => kind switch
    {
        PredictionKind.BinaryClassification =>
            transforms.CustomMapping<TInput, BinaryOutput>(BinaryMapping<TInput>.Map, $"{Prefix}{form}.Binary"),
        PredictionKind.Regression =>
            transforms.CustomMapping<TInput, RegressionOutput>(RegressionMapping<TInput>.Map, $"{Prefix}{form}.Regression"),
        _ => transforms.CustomMapping<TInput, MulticlassOutput>(MulticlassMapping<TInput>.Map, $"{Prefix}{form}.Multiclass"),
    };

    /// <summary>The output columns of a task, made of the parts of its mapping.</summary>
    internal static List<IEstimator<ITransformer>> Outputs(MLContext mlContext, PredictionTask task)
    {
        if (task.Kind != PredictionKind.MulticlassClassification)
            return [];
        var transforms = mlContext.Transforms;
        var classes = task.Classes!;
        if (classes.Count >= 1 << EmbeddingOutput.Count)
            throw new InvalidOperationException(
                $"A model of {classes.Count} classes cannot be saved in a chain, the limit is {(1 << EmbeddingOutput.Count) - 1}.");
        // The value goes back to a key with the label's values: a column's key type cannot depend on the model otherwise.
        var outputs = new List<IEstimator<ITransformer>>();
        if (!classes.IsText)
            outputs.Add(transforms.Conversion.ConvertType(CarrierColumns.Second, outputKind: classes.Kind));
        outputs.Add(transforms.Conversion.MapValueToKey(PredictionColumns.PredictedLabel, CarrierColumns.Second,
            keyData: classes.ToView(mlContext)));
        outputs.Add(CarrierChain.Gather(transforms, PredictionColumns.Score, CarrierColumns.Part, task.Width));
        return outputs;
    }
}
