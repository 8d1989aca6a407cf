using System.Runtime.InteropServices;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Transformers;
using Ssl.MLNet.Onnx.Graph;
using Ssl.MLNet.Onnx.Inputs;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx;

/// <summary>A model for few labels.</summary>
/// <param name="model">The model.</param>
/// <param name="encoder">The encoder that makes the column; null where it is an input.</param>
internal sealed class FewLabelsExport(FewLabelsTransformer model, EncoderModel? encoder) : RowExport
{
    private readonly FewLabelsModel _head = model.Model;
    private readonly FewLabelsEncoders _own = model.Encoders;
    private readonly int _columnWidth = model.ColumnWidth;

    public override IEnumerable<Lifetime> Lifetimes => _own.All.Append(encoder).OfType<EncoderModel>().Select(model => model.Lifetime);

    public override RowFormat? Format => (_own.Adapted ?? encoder ?? _own.Plain)?.Format;

    public override (string Name, int Width)? Vectors => encoder is null ? (_head.InputColumn, _columnWidth) : null;

    public override string Description => $"{_head.Task.Kind} learned from few labels" + (Format is { } format ? $", of {format.Kind} columns" : "");

    public override IReadOnlyList<string> ComparedOutputs => [PredictionColumns.Score];

    public override void CheckColumns(DataViewSchema schema)
    {
        base.CheckColumns(schema);
        if (encoder is null)
            _head.CheckInput(schema, _columnWidth);
    }

    public override void Build(OnnxBuilder graph)
    {
        var column = encoder is null
            ? graph.Input(_head.InputColumn, DataType.Float, "The vector of the row.", ModelInput.Rows, _columnWidth)
            : Input.Output(Input.Embed(ModelInput.WeightsOf(encoder, graph)));
        // Each in the form of its own network: the inputs are the same.
        var vector = OnnxValue.Concat(1, [column, .. _own.All.Select(own => ModelInput.Of(own.Format).Embed(ModelInput.WeightsOf(own, graph)))]);  // [N, D]
        var isWrong = (vector.IsNaN() | vector.IsInfinite()).To(DataType.Float).Max(true, 1) > graph.Constant(0f);                  // [N, 1]
        var mean = isWrong.Choose(graph.Constant(double.NaN), Mean(graph, vector));                                                 // Double [N, outputs]
        switch (_head.Task.Kind)
        {
            case PredictionKind.MulticlassClassification:
                var probabilities = mean.To(DataType.Float);
                var best = graph.Node("ArgMax", [probabilities], ("axis", 1L), ("keepdims", 1L));
                FineTunedExport.AddClasses(graph, _head.Task, probabilities, isWrong.Choose(graph.Integer(-1), best));
                break;
            case PredictionKind.BinaryClassification:
                var (no, yes) = (mean.Slice(1, 0, 1), mean.Slice(1, 1, 2));
                FineTunedExport.AddYesOrNo(graph, (yes / no).Log().To(DataType.Float), yes.To(DataType.Float));
                break;
            default:
                var value = mean * graph.Constant(_head.Task.Deviation) + graph.Constant(_head.Task.Mean);
                graph.Output(PredictionColumns.Score, value.To(DataType.Float), DataType.Float, "The predicted value.", ModelInput.Rows, 1);
                break;
        }
    }

    // The weighted mean of what the parts say, in Double as there: a probability may be too small for a Single and its logarithm is not.
    private OnnxValue Mean(OnnxBuilder graph, OnnxValue vector)
    {
        using var scope = NewDisposeScope();
        var outputs = _head.Outputs;
        var shares = graph.Weight(tensor(_head.Baseline.Select(value => value * _head.BaselineShare).ToArray(), [1, outputs]), "baseline");
        var mean = shares.Expand(OnnxValue.Concat(0, vector.Length(0), graph.Integers(outputs)));
        foreach (var part in _head.Linear)
        {
            var slots = _head.SlotsOf(part);
            var seen = slots == _head.Dimension ? vector : vector.Slice(1, part.FirstSlot, part.FirstSlot + slots);
            var weights = tensor(part.Weights, [slots + 1, outputs]);
            Add(seen.MatMul(graph.Weight(weights.narrow(0, 0, slots), "linear.weight")) + graph.Weight(weights.select(0, slots), "linear.bias"), part.Temperature, part.Share);
        }
        if (_head.Trees is { } trees)
            Add(Score(graph, trees.FirstSlot == 0 ? vector : vector.Slice(1, trees.FirstSlot, long.MaxValue), trees.Trees), trees.Temperature, trees.Share);
        return mean;

        void Add(OnnxValue scores, double temperature, double share)
        {
            var told = scores.To(DataType.Double);
            if (outputs > 1)
                told = (told / graph.Constant(temperature)).Softmax(1);
            mean += told * graph.Constant(share);
        }
    }

    private static OnnxValue Score(OnnxBuilder graph, OnnxValue vector, TreeEnsemble trees)
    {
        var nodes = trees.Nodes();
        var leaves = nodes.Where(node => node.IsLeaf).ToArray();
        return graph.NodeOf(OnnxBuilder.TraditionalDomain, "TreeEnsembleRegressor", [vector],
            ("n_targets", (long)trees.Outputs), ("base_values", trees.Bias.Select(value => (float)value).ToArray()),
            ("nodes_treeids", Of(nodes, node => node.Tree)), ("nodes_nodeids", Of(nodes, node => node.Number)), ("nodes_featureids", Of(nodes, node => node.Slot)),
            ("nodes_modes", nodes.Select(node => node.IsLeaf ? "LEAF" : "BRANCH_LEQ").ToArray()), ("nodes_values", nodes.Select(node => node.IsLeaf ? 0 : node.Value).ToArray()),
            ("nodes_truenodeids", Of(nodes, node => node.Left)), ("nodes_falsenodeids", Of(nodes, node => node.Right)),
            ("target_treeids", Of(leaves, leaf => leaf.Tree)), ("target_nodeids", Of(leaves, leaf => leaf.Number)), ("target_ids", Of(leaves, leaf => leaf.Output)),
            ("target_weights", leaves.Select(leaf => leaf.Value).ToArray()));

        static long[] Of(IEnumerable<TreeNode> nodes, Func<TreeNode, int> number) => [.. nodes.Select(node => (long)number(node))];
    }

    protected override float[] Expected(RowStore? rows, float[] vectors)
    {
        var columns = encoder is null ? vectors : EncoderExport.Embed(encoder, rows!);
        var own = _own.All.Select(model => (model.Dimension, Embeddings: EmbeddingsOf(model, rows!))).ToArray();
        var count = columns.Length / _columnWidth;
        var (row, predicted, numbers) = (new float[_head.Dimension], new float[_head.Width], new List<float>());
        for (var i = 0; i < count; i++)
        {
            columns.AsSpan(i * _columnWidth, _columnWidth).CopyTo(row);
            var next = _columnWidth;
            foreach (var (dimension, embeddings) in own)
            {
                embeddings.AsSpan(i * dimension, dimension).CopyTo(row.AsSpan(next));
                next += dimension;
            }
            _head.Predict(row, predicted);
            numbers.AddRange(_head.Task.Kind == PredictionKind.MulticlassClassification ? predicted : predicted.AsSpan(0, 1));
        }
        return [.. numbers];
    }

    // Without the row's cells that a stage of tables gives beside them.
    private static float[] EmbeddingsOf(EncoderModel model, RowStore rows)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var exact = EncoderExport.Exact(model);
        return MemoryMarshal.Cast<byte, float>(exact.Encode(rows).cpu().contiguous().bytes).ToArray();
    }
}
