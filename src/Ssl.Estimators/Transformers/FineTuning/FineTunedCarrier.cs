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
[CustomMappingFactoryAttribute(Contract)]
internal sealed class MulticlassMapping : CustomMappingFactory<TextsInput, MulticlassOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Texts.Multiclass";

    /// <summary>The mapping.</summary>
    public static void Map(TextsInput input, MulticlassOutput output)
    {
        var model = FineTunedCarrier.Cache.Get(input.State);
        var probabilities = FineTunedCarrier.Predict(model, input);
        output.Fill(probabilities);
        var best = PredictionTask.Best(probabilities);
        output.PredictedValue = best < 0 ? default : model.Task.Classes!.Texts[best].AsMemory();
    }

    /// <inheritdoc/>
    public override Action<TextsInput, MulticlassOutput> GetMapping() => Map;
}

/// <summary>Predicts one of two classes with the carried model.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class BinaryMapping : CustomMappingFactory<TextsInput, BinaryOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Texts.Binary";

    /// <summary>The mapping.</summary>
    public static void Map(TextsInput input, BinaryOutput output)
    {
        var numbers = FineTunedCarrier.Predict(FineTunedCarrier.Cache.Get(input.State), input);
        (output.PredictedLabel, output.Score, output.Probability) = (numbers[0] > 0, numbers[0], numbers[1]);
    }

    /// <inheritdoc/>
    public override Action<TextsInput, BinaryOutput> GetMapping() => Map;
}

/// <summary>Predicts a value with the carried model.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class RegressionMapping : CustomMappingFactory<TextsInput, RegressionOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Texts.Regression";

    /// <summary>The mapping.</summary>
    public static void Map(TextsInput input, RegressionOutput output)
        => output.Score = FineTunedCarrier.Predict(FineTunedCarrier.Cache.Get(input.State), input)[0];

    /// <inheritdoc/>
    public override Action<TextsInput, RegressionOutput> GetMapping() => Map;
}

/// <summary>Saves a fine-tuned model as a chain of built-in transformers.</summary>
internal static class FineTunedCarrier
{
    /// <summary>The models of this process's loaded chains.</summary>
    public static CarrierCache<FineTunedModel> Cache { get; } = new(FineTunedModel.Read);

    /// <summary>The numbers of one row.</summary>
    public static float[] Predict(FineTunedModel model, TextsInput input)
    {
        var numbers = new float[model.Width];
        model.Compute([RawRow.OfTexts(input.Texts.DenseValues().ToArray())], numbers);
        return numbers;
    }

    /// <summary>Writes a model where <c>mlContext.Model.Save</c> wants it.</summary>
    public static void Save(FineTunedModel model, ModelSaveContext context)
    {
        var mlContext = new MLContext();
        var transforms = mlContext.Transforms;
        var inputs = model.InputColumns.Distinct().Select(name => new DataViewSchema.DetachedColumn(name, TextDataViewType.Instance));
        var (mapping, outputs) = Parts(mlContext, model.Task);
        using var chain = CarrierChain.Build(mlContext, model.WriteArchive, [.. inputs],
            transforms.Concatenate(CarrierColumns.Texts, [.. model.InputColumns]), mapping, outputs);
        ((ICanSaveModel)chain).Save(context);
    }

    private static (IEstimator<ITransformer> Mapping, IEnumerable<IEstimator<ITransformer>> Outputs) Parts(MLContext mlContext,
        PredictionTask task)
    {
        var transforms = mlContext.Transforms;
        switch (task.Kind)
        {
            case PredictionKind.BinaryClassification:
                return (transforms.CustomMapping<TextsInput, BinaryOutput>(BinaryMapping.Map, BinaryMapping.Contract), []);
            case PredictionKind.Regression:
                return (transforms.CustomMapping<TextsInput, RegressionOutput>(RegressionMapping.Map, RegressionMapping.Contract), []);
        }

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
        return (transforms.CustomMapping<TextsInput, MulticlassOutput>(MulticlassMapping.Map, MulticlassMapping.Contract), outputs);
    }
}
