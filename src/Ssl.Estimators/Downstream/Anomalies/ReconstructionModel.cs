using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Transformers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>How badly an encoder rebuilds a row.</summary>
/// <param name="encoder">The encoder; the model's from now on.</param>
internal sealed class ReconstructionModel(EncoderModel encoder) : AnomalyModel
{
    private const string ModalityKey = "modality", EncoderKey = "encoder", WeightPrefix = "encoder.";

    public override AnomalyMethod Method => AnomalyMethod.ReconstructionError;

    public override IReadOnlyList<string> InputColumns => encoder.InputColumns;

    public override void CheckInput(DataViewSchema schema)
    {
        foreach (var name in encoder.InputColumns)
            encoder.CheckColumn(name, ColumnShape.Find(schema, name));
    }

    public override IDataView CreateView(IDataView input, DataViewSchema schema, int batchSize, ScoringSettings settings)
        => new EncodedDataView(input, schema, new Computation(this, encoder), batchSize, settings);

    public override IRowToRowMapper CreateMapper(DataViewSchema inputSchema, DataViewSchema outputSchema)
        => new EncoderRowMapper(new Computation(this, encoder), inputSchema, outputSchema);

    public override float Score(RawRow row)
    {
        var score = 0f;
        new Computation(this, encoder).Compute([row], new Span<float>(ref score));
        return score;
    }

    public override void Save(ModelSaveContext context)
    {
        var mlContext = new MLContext();
        var transforms = mlContext.Transforms;
        var form = CarrierInputs.FormOf(encoder.InputKinds);
        var mapping = form switch
        {
            CarrierForm.Texts => AnomalyCarrier.Mapping<TextsInput>(transforms, form),
            CarrierForm.Numbers => AnomalyCarrier.Mapping<NumbersInput>(transforms, form),
            _ => AnomalyCarrier.Mapping<MixedInput>(transforms, form),
        };
        using var chain = CarrierChain.Build(mlContext, WriteArchive, CarrierInputs.Columns(encoder.InputColumns, encoder.InputKinds),
            CarrierInputs.Fix(transforms, encoder.InputColumns, encoder.InputKinds), mapping, []);
        ((ICanSaveModel)chain).Save(context);
    }

    public static ReconstructionModel Create(JsonObject content, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var modality = (string)content[ModalityKey]!;
        return new ReconstructionModel(EncoderModelReader.Create(modality, content[EncoderKey]!.AsObject(), weights =>
        {
            foreach (var (name, weight) in weights)
            {
                var saved = tensors[WeightPrefix + name];
                if (saved.dtype != weight.dtype || !saved.shape.SequenceEqual(weight.shape))
                {
                    throw new FormatException($"The saved detector is damaged: its tensor '{name}' is {saved.dtype} [{string.Join(", ",
                        saved.shape)}], expected {weight.dtype} [{string.Join(", ", weight.shape)}].");
                }
                weight.copy_(saved);
            }
        }) ?? throw new FormatException(
            $"The archive holds a detector on an encoder of modality '{modality}', which this version cannot read. Update the package."));
    }

    public override void MoveTo(Device device) => encoder.MoveTo(device);

    protected override void Free() => encoder.Dispose();

    protected override void Describe(JsonObject content, Dictionary<string, Tensor> tensors)
    {
        content[ModalityKey] = encoder.Modality;
        content[EncoderKey] = encoder.Describe();
        foreach (var (name, weight) in encoder.GetWeights())
            tensors.Add(WeightPrefix + name, weight);
    }

    private sealed class Computation(ReconstructionModel model, EncoderModel encoder) : RowComputation
    {
        public override IReadOnlyList<string> InputColumns => encoder.InputColumns;

        public override IReadOnlyList<InputKind> InputKinds => encoder.InputKinds;

        public override Lifetime Lifetime => model.Lifetime;

        public override int Width => 1;

        public override void Compute(ReadOnlySpan<RawRow> rows, Span<float> results)
        {
            using var use = model.Lifetime.Enter();
            if (rows.Length > 0)
                encoder.ReconstructionErrors(rows).CopyTo(results);
        }

        public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
            => model.CreateGetter(output, () => row().Span[0]);
    }
}

/// <summary>Whether a row is an anomaly, and its score.</summary>
internal sealed class AnomalyOutput
{
    [ColumnName(AnomalyColumns.PredictedLabel)] public bool PredictedLabel { get; set; }
    [ColumnName(AnomalyColumns.Score)] public float Score { get; set; }
}

/// <summary>Scores rows with the carried detector.</summary>
/// <typeparam name="TInput">What it reads.</typeparam>
internal abstract class AnomalyMapping<TInput> : CustomMappingFactory<TInput, AnomalyOutput> where TInput : class, ICarrierInput, new()
{
    /// <summary>The mapping.</summary>
    public static void Map(TInput input, AnomalyOutput output)
    {
        var model = AnomalyCarrier.Cache.Get(input.State);
        output.Score = model.Score(input.ToRow());
        output.PredictedLabel = output.Score > model.Threshold;
    }

    /// <inheritdoc/>
    public override Action<TInput, AnomalyOutput> GetMapping() => Map;
}

// One class for each form of input: the contract is how a loaded chain finds its code.

[CustomMappingFactoryAttribute(AnomalyCarrier.Prefix + "Texts.Anomaly")]
internal sealed class TextsAnomalyMapping : AnomalyMapping<TextsInput>;

[CustomMappingFactoryAttribute(AnomalyCarrier.Prefix + "Numbers.Anomaly")]
internal sealed class NumbersAnomalyMapping : AnomalyMapping<NumbersInput>;

[CustomMappingFactoryAttribute(AnomalyCarrier.Prefix + "Mixed.Anomaly")]
internal sealed class MixedAnomalyMapping : AnomalyMapping<MixedInput>;

/// <summary>Carries detectors in saved chains.</summary>
internal static class AnomalyCarrier
{
    /// <summary>Begins the names of the contracts.</summary>
    public const string Prefix = "Ssl.Estimators.Carrier.";

    /// <summary>The detectors of this process's loaded chains.</summary>
    public static CarrierCache<AnomalyModel> Cache { get; } = new(AnomalyModel.Read);

    /// <summary>The mapping for a form of input.</summary>
    public static IEstimator<ITransformer> Mapping<TInput>(TransformsCatalog transforms, CarrierForm form)
        where TInput : class, ICarrierInput, new()
        => transforms.CustomMapping<TInput, AnomalyOutput>(AnomalyMapping<TInput>.Map, $"{Prefix}{form}.Anomaly");
}
