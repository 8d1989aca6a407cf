using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Inputs;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx;

/// <summary>An encoder.</summary>
internal sealed class EncoderExport(EncoderModel model) : RowExport
{
    public override IEnumerable<Lifetime> Lifetimes => [model.Lifetime];

    public override RowFormat? Format => model.Format;

    public override string Description => $"An encoder of {model.Format.Kind} columns, {model.OutputWidth} numbers a row";

    public override IReadOnlyList<string> ComparedOutputs => [model.OutputColumn];

    public override void Build(OnnxBuilder graph)
    {
        var embedding = Input.Embed(ModelInput.WeightsOf(model, graph));
        graph.Output(model.OutputColumn, Input.Output(embedding), DataType.Float, "The embedding.", ModelInput.Rows, model.OutputWidth);
    }

    protected override float[] Expected(RowStore? rows, float[] vectors) => Embed(model, rows!);

    /// <summary>What an encoder gives for rows without rounding to bfloat16.</summary>
    public static float[] Embed(EncoderModel model, RowStore rows)
    {
        using var exact = Exact(model);
        var numbers = new float[rows.Count * model.OutputWidth];
        exact.Embed(rows, numbers);
        return numbers;
    }

    /// <summary>The model without rounding to bfloat16; the caller's to dispose of.</summary>
    public static EncoderModel Exact(EncoderModel model)
    {
        // Of its own: nobody else's setting, and nobody else sees this one.
        var exact = model.WithColumns(model.InputColumns, model.OutputColumn);
        exact.RoundsToBFloat16 = false;
        return exact;
    }
}
