using System.Runtime.InteropServices;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
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
        var logits = Predict(model.Head, Input.Embed(ModelInput.WeightsOf(model.Encoder, graph)));      // [N, outputs]
        switch (model.Task.Kind)
        {
            case PredictionKind.MulticlassClassification:
                AddClasses(graph, model.Task, logits.Softmax(1), graph.Node("ArgMax", [logits], ("axis", 1L), ("keepdims", 1L)));
                break;
            case PredictionKind.BinaryClassification:
                AddYesOrNo(graph, logits, logits.Sigmoid());
                break;
            default:
                graph.Output(PredictionColumns.Score, logits * (float)model.Task.Deviation + (float)model.Task.Mean, DataType.Float, "The predicted value.", ModelInput.Rows, 1);
                break;
        }
    }

    /// <summary>What a head makes of embeddings: [..., D] to [..., outputs].</summary>
    public static OnnxValue Predict(PredictionHead head, OnnxValue embeddings)
    {
        var weights = new NetworkWeights(embeddings.Graph, head.state_dict());
        return weights.Linear(head.HiddenUnits > 0 ? weights.Linear(embeddings, "hidden").Gelu() : embeddings, "output");
    }

    /// <summary>The outputs of an answer of yes or no.</summary>
    /// <param name="graph">Gets them.</param>
    /// <param name="odds">Log-odds of true, [N, 1].</param>
    /// <param name="probability">[N, 1].</param>
    public static void AddYesOrNo(OnnxBuilder graph, OnnxValue odds, OnnxValue probability)
    {
        graph.Output(PredictionColumns.PredictedLabel, odds > graph.Constant(0f), DataType.Bool, "Whether it is true.", ModelInput.Rows, 1);
        graph.Output(PredictionColumns.Score, odds, DataType.Float, "Log-odds of true.", ModelInput.Rows, 1);
        graph.Output(PredictionColumns.Probability, probability, DataType.Float, "Probability of true.", ModelInput.Rows, 1);
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
