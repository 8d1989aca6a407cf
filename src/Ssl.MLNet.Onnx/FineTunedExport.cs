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

/// <summary>A fine-tuned encoder.</summary>
internal sealed class FineTunedExport(FineTunedModel model) : RowExport
{
    public override IEnumerable<Lifetime> Lifetimes => [model.Lifetime];

    public override RowFormat? Format => model.Format;

    public override string Description => $"{model.Task.Kind} of {model.Format.Kind} columns";

    public override IReadOnlyList<string> ComparedOutputs => [PredictionColumns.Score];

    public override void Build(OnnxBuilder graph)
    {
        var state = Input.Embed(ModelInput.WeightsOf(model.Encoder, graph));
        var head = new NetworkWeights(graph, model.Head.state_dict());
        if (model.Head.HiddenUnits > 0)
            state = head.Linear(state, "hidden").Gelu();
        var logits = head.Linear(state, "output");                                                      // [N, outputs]
        switch (model.Task.Kind)
        {
            case PredictionKind.MulticlassClassification:
                AddClasses(graph, model.Task, logits.Softmax(1), graph.Node("ArgMax", [logits], ("axis", 1L), ("keepdims", 1L)));
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

    /// <summary>The outputs of a classification.</summary>
    /// <param name="graph">Gets them.</param>
    /// <param name="task">Has the classes.</param>
    /// <param name="probabilities">[N, classes].</param>
    /// <param name="best">Number of the likeliest one, [N, 1]; no class's for rows that have none.</param>
    public static void AddClasses(OnnxBuilder graph, PredictionTask task, OnnxValue probabilities, OnnxValue best)
    {
        string[] classes = [.. task.Classes!.Texts];
        var label = graph.NodeOf(OnnxBuilder.TraditionalDomain, "LabelEncoder", [best],
            ("keys_int64s", Enumerable.Range(0, classes.Length).Select(i => (long)i).ToArray()), ("values_strings", classes), ("default_string", ""));
        graph.Output(PredictionColumns.PredictedLabel, label, DataType.String, "The class with the largest probability.", ModelInput.Rows, 1);
        graph.Output(PredictionColumns.Score, probabilities, DataType.Float, $"Probabilities of {string.Join(", ", classes)}.", ModelInput.Rows, classes.Length);
    }

    protected override float[] Expected(RowStore? rows, float[] vectors)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var numbers = MemoryMarshal.Cast<byte, float>(model.Predict(rows!).cpu().contiguous().bytes).ToArray();
        var compared = model.Task.Kind == PredictionKind.MulticlassClassification ? model.Width : 1;
        return [.. numbers.Chunk(model.Width).SelectMany(row => row.Take(compared))];
    }
}
