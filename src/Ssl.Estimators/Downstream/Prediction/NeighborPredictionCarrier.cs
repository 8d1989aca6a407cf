using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Downstream;

/// <summary>Predicts one of several classes with the carried neighbours.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class NeighborMulticlassMapping : CustomMappingFactory<NumbersInput, MulticlassOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.NeighborMulticlass";

    /// <summary>The mapping.</summary>
    public static void Map(NumbersInput input, MulticlassOutput output)
    {
        var (numbers, task) = NeighborPredictionCarrier.Predict(input);
        output.Fill(numbers);
        var best = PredictionTask.Best(numbers);
        output.PredictedValue = best < 0 ? default : task.Classes!.Texts[best].AsMemory();
    }

    /// <inheritdoc/>
    public override Action<NumbersInput, MulticlassOutput> GetMapping() => Map;
}

/// <summary>Predicts one of two classes with the carried neighbours.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class NeighborBinaryMapping : CustomMappingFactory<NumbersInput, BinaryOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.NeighborBinary";

    /// <summary>The mapping.</summary>
    public static void Map(NumbersInput input, BinaryOutput output)
    {
        var (numbers, _) = NeighborPredictionCarrier.Predict(input);
        (output.PredictedLabel, output.Score, output.Probability) = (numbers[0] > 0, numbers[0], numbers[1]);
    }

    /// <inheritdoc/>
    public override Action<NumbersInput, BinaryOutput> GetMapping() => Map;
}

/// <summary>Predicts a number with the carried neighbours.</summary>
[CustomMappingFactoryAttribute(Contract)]
internal sealed class NeighborRegressionMapping : CustomMappingFactory<NumbersInput, RegressionOutput>
{
    /// <summary>Name in saved models.</summary>
    public const string Contract = "Ssl.Estimators.Carrier.Numbers.NeighborRegression";

    /// <summary>The mapping.</summary>
    public static void Map(NumbersInput input, RegressionOutput output)
        => output.Score = NeighborPredictionCarrier.Predict(input).Numbers[0];

    /// <inheritdoc/>
    public override Action<NumbersInput, RegressionOutput> GetMapping() => Map;
}

/// <summary>Saves a prediction by neighbours as a chain of built-in transformers.</summary>
internal static class NeighborPredictionCarrier
{
    private static readonly CarrierCache<NeighborPredictor> s_cache = new(NeighborPredictor.Read);

    /// <summary>The numbers of one row.</summary>
    public static (float[] Numbers, PredictionTask Task) Predict(NumbersInput input)
    {
        var predictor = s_cache.Get(input.State);
        var vector = CarriedVector.Of(input, predictor);
        var numbers = new float[predictor.Task.Width];
        predictor.Predict(vector, 1, numbers);
        return (numbers, predictor.Task);
    }

    /// <summary>Writes a predictor where <c>mlContext.Model.Save</c> wants it.</summary>
    public static void Save(NeighborPredictor predictor, ModelSaveContext context)
    {
        var mlContext = new MLContext();
        var transforms = mlContext.Transforms;
        var task = predictor.Task;
        IEstimator<ITransformer> mapping = task.Kind switch
        {
            PredictionKind.BinaryClassification
                => transforms.CustomMapping<NumbersInput, BinaryOutput>(NeighborBinaryMapping.Map, NeighborBinaryMapping.Contract),
            PredictionKind.Regression
                => transforms.CustomMapping<NumbersInput, RegressionOutput>(NeighborRegressionMapping.Map,
                    NeighborRegressionMapping.Contract),
            _ => transforms.CustomMapping<NumbersInput, MulticlassOutput>(NeighborMulticlassMapping.Map,
                NeighborMulticlassMapping.Contract),
        };
        CarriedVector.Save(mlContext, predictor, predictor.WriteArchive, mapping, FineTunedCarrier.Outputs(mlContext, task), context);
    }
}

/// <summary>What the carriers of all stages on one column of vectors share.</summary>
internal static class CarriedVector
{
    /// <summary>The row's vector, in an array of its own.</summary>
    /// <exception cref="InvalidOperationException">It has another length.</exception>
    public static float[] Of(NumbersInput input, VectorComputation computation)
    {
        if (input.Numbers.Length != computation.Dimension)
        {
            throw new InvalidOperationException($"Column '{computation.InputColumn}' has vectors of length {input.Numbers.Length}, "
                + $"the reference rows have {computation.Dimension}.");
        }

        return [.. input.Numbers.DenseValues()];
    }

    /// <summary>Writes a stage as a chain: its state, its column under the fixed name, the mapping, its outputs.</summary>
    public static void Save(MLContext mlContext, VectorComputation computation, Action<Stream> write, IEstimator<ITransformer> mapping,
        IEnumerable<IEstimator<ITransformer>> outputs, ModelSaveContext context)
    {
        var input = new DataViewSchema.DetachedColumn(computation.InputColumn,
            new VectorDataViewType(NumberDataViewType.Single, computation.Dimension));
        using var chain = CarrierChain.Build(mlContext, write, [input],
            [mlContext.Transforms.CopyColumns(CarrierColumns.Numbers, computation.InputColumn)], mapping, outputs);
        ((ICanSaveModel)chain).Save(context);
    }
}
