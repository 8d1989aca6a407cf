using System.Runtime.InteropServices;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Transformers;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Inputs;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx;

/// <summary>A model to be written: its graph, and the numbers that it must give.</summary>
internal abstract class ModelExport
{
    /// <summary>Ends with the model: entered while it is written.</summary>
    public abstract Lifetime Lifetime { get; }

    /// <summary>How its rows are read.</summary>
    public abstract RowFormat Format { get; }

    /// <summary>What it is, for the model's description.</summary>
    public abstract string Description { get; }

    /// <summary>The output that is compared.</summary>
    public abstract string ComparedOutput { get; }

    /// <summary>Adds inputs, network and outputs to a graph.</summary>
    public abstract void Build(OnnxBuilder graph, ModelInput input);

    /// <summary>What <see cref="ComparedOutput"/> must be for rows: one row after the other.</summary>
    public abstract float[] Expected(RowStore rows);
}

/// <summary>An encoder.</summary>
internal sealed class EncoderExport(EncoderModel model) : ModelExport
{
    public override Lifetime Lifetime => model.Lifetime;

    public override RowFormat Format => model.Format;

    public override string Description => $"An encoder of {Format.Kind} columns, {model.OutputWidth} numbers a row";

    public override string ComparedOutput => model.OutputColumn;

    public override void Build(OnnxBuilder graph, ModelInput input)
    {
        var embedding = input.Embed(ModelInput.WeightsOf(model, graph));
        graph.Output(model.OutputColumn, input.Output(embedding), DataType.Float, "The embedding.", ModelInput.Rows, model.OutputWidth);
    }

    public override float[] Expected(RowStore rows)
    {
        // Of its own: nobody else's setting, and nobody else sees this one.
        using var exact = model.WithColumns(model.InputColumns, model.OutputColumn);
        exact.RoundsToBFloat16 = false;
        var numbers = new float[rows.Count * model.OutputWidth];
        exact.Embed(rows, numbers);
        return numbers;
    }
}

/// <summary>A fine-tuned encoder.</summary>
internal sealed class FineTunedExport(FineTunedModel model) : ModelExport
{
    public override Lifetime Lifetime => model.Lifetime;

    public override RowFormat Format => model.Format;

    public override string Description => $"{model.Task.Kind} of {Format.Kind} columns";

    public override string ComparedOutput => PredictionColumns.Score;

    public override void Build(OnnxBuilder graph, ModelInput input)
    {
        var state = input.Embed(ModelInput.WeightsOf(model.Encoder, graph));
        var head = new NetworkWeights(graph, model.Head.state_dict());
        if (model.Head.HiddenUnits > 0)
            state = head.Linear(state, "hidden").Gelu();
        var logits = head.Linear(state, "output");                                                      // [N, outputs]
        switch (model.Task.Kind)
        {
            case PredictionKind.MulticlassClassification:
                var best = graph.Node("ArgMax", [logits], ("axis", 1L), ("keepdims", 1L));
                string[] classes = [.. model.Task.Classes!.Texts];
                var label = graph.NodeOf(OnnxBuilder.TextDomain, "LabelEncoder", [best],
                    ("keys_int64s", Enumerable.Range(0, classes.Length).Select(i => (long)i).ToArray()), ("values_strings", classes));
                graph.Output(PredictionColumns.PredictedLabel, label, DataType.String, "The class with the largest probability.", ModelInput.Rows, 1);
                graph.Output(PredictionColumns.Score, logits.Softmax(1), DataType.Float, $"Probabilities of {string.Join(", ", classes)}.", ModelInput.Rows, classes.Length);
                break;
            case PredictionKind.BinaryClassification:
                graph.Output(PredictionColumns.PredictedLabel, logits > graph.Constant(0f), DataType.Bool, "Whether it is true.", ModelInput.Rows, 1);
                graph.Output(PredictionColumns.Score, logits, DataType.Float, "Log-odds of true.", ModelInput.Rows, 1);
                graph.Output(PredictionColumns.Probability, logits.Sigmoid(), DataType.Float, "Probability of true.", ModelInput.Rows, 1);
                break;
            default:
                graph.Output(PredictionColumns.Score, logits * (float)model.Task.Deviation + (float)model.Task.Mean, DataType.Float, "The predicted value.", ModelInput.Rows, 1);
                break;
        }
    }

    public override float[] Expected(RowStore rows)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var numbers = MemoryMarshal.Cast<byte, float>(model.Predict(rows).cpu().contiguous().bytes).ToArray();
        var compared = model.Task.Kind == PredictionKind.MulticlassClassification ? model.Width : 1;
        return [.. numbers.Chunk(model.Width).SelectMany(row => row.Take(compared))];
    }
}
