using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;
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
        encoder.Format.CheckColumns(schema);
    }

    public override IDataView CreateView(IDataView input, DataViewSchema schema, int batchSize, ScoringSettings settings)
        => EncodedDataView.Of(input, schema, new Computation(this, encoder), batchSize, settings);

    public override IRowToRowMapper CreateMapper(DataViewSchema inputSchema, DataViewSchema outputSchema, ScoringSettings settings)
        => new EncoderRowMapper(new Computation(this, encoder), inputSchema, outputSchema, settings);

    public static ReconstructionModel Create(JsonObject content, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var modality = content.Text(ModalityKey);
        return new ReconstructionModel(EncoderModel.Create(modality, content[EncoderKey]!.AsObject(), weights =>
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
        public override RowFormat Format => encoder.Format;

        public override Lifetime Lifetime => model.Lifetime;

        public override int Width => 1;

        public override void Compute(RowBatch rows, Span<float> results)
        {
            using var use = model.Lifetime.Enter();
            if (rows.Count > 0)
                encoder.ReconstructionErrors(rows.ToStore()).CopyTo(results);
        }

        public override Delegate CreateGetter(int output, Func<ReadOnlyMemory<float>> row)
            => model.CreateGetter(output, () => row().Span[0]);
    }
}
