using Ssl.Estimators.Serialization.Onnx;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>
/// Finds the parts of a residual network in the graph of an ONNX file. Names of weights do not count: exporters number them. The graph is
/// walked from its input: the beginning, then block by block to the sum that ends each.
/// </summary>
/// <remarks>
/// Batch normalizations may be folded into the convolutions, as torch.onnx.export does it, or not. A padding that is one smaller below and
/// to the right, as CNTK writes it, is the same as an even one at the sizes of these networks, since the stride never gets there.
/// </remarks>
internal sealed class OnnxResNet
{
    private const float Epsilon = 1e-5f;

    private readonly OnnxGraph _graph;
    private readonly string _path;
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    private OnnxResNet(OnnxGraph graph, string path) => (_graph, _path) = (graph, path);

    /// <summary>Whether a file is one of the packages Microsoft.ML.DnnImageFeaturizer.*, all of which CNTK wrote.</summary>
    public static bool IsFeaturizer(OnnxGraph graph) => graph.Producer == "CNTK";

    /// <summary>The weights of a graph under torchvision's names.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">Where it was read, for sentences.</param>
    /// <param name="stridesFirst">Whether the stride of bottlenecks is on their first convolution.</param>
    /// <exception cref="FormatException">It is another network.</exception>
    public static PretrainedWeights ReadWeights(OnnxGraph graph, string path, out bool stridesFirst)
    {
        var reader = new OnnxResNet(graph, path);
        try
        {
            stridesFirst = reader.Walk();
            return new PretrainedWeights(reader._tensors, path);
        }
        catch
        {
            foreach (var tensor in reader._tensors.Values)
                tensor.Dispose();
            throw;
        }
    }

    // Whether bottlenecks stride first.
    private bool Walk()
    {
        var stem = _graph.Nodes.First(node => node.OpType == "Conv");
        if (_graph.ProducerOf(stem.Input[0]) is { } before)
            throw Fault($"its convolutions begin behind a {before.OpType}, not at the input");
        var value = Only(Convolution(stem, "conv1", "bn1", 7, 2), "Relu").Output[0];
        var pool = Only(value, "MaxPool");
        CheckWindow(pool, 3, 2);
        value = pool.Output[0];
        var (stage, block, width, stridesFirst) = (0, 0, 0L, false);
        while (true)
        {
            var (main, shortcut, sum) = Block(value);
            if (main.Count == 0)
                break;
            // Each stage is twice as wide as the one before.
            var channels = ChannelsOf(main[0]);
            if (channels != width)
                (stage, block, width) = (stage + 1, 0, channels);
            var stride = block == 0 && stage > 1 ? 2 : 1;
            var name = $"layer{stage}.{block}";
            if (main.Count is not (2 or 3) || stage > 4)
                throw Fault($"its block {name} has {main.Count} convolutions; allowed are two, or three, in four stages");
            if (main.Count == 3 && stride == 2)
                stridesFirst = StrideOf(main[0]) == 2;
            for (var i = 0; i < main.Count; i++)
            {
                var strides = main.Count == 2 || stridesFirst ? i == 0 : i == 1;
                Convolution(main[i], $"{name}.conv{i + 1}", $"{name}.bn{i + 1}", main.Count == 3 && i != 1 ? 1 : 3, strides ? stride : 1);
            }
            if (shortcut is not null)
                Convolution(shortcut, $"{name}.downsample.0", $"{name}.downsample.1", 1, stride);
            value = Only(sum!.Output[0], "Relu").Output[0];
            block++;
        }
        if (_graph.ConsumersOf(value) is not [{ OpType: "GlobalAveragePool" or "AveragePool" or "ReduceMean" }])
            throw Fault("it does not end in an average over places behind its blocks");
        return stridesFirst;
    }

    // The convolutions of a block in their order, that of its shortcut, and the sum; none where there is no further block.
    private (List<NodeProto> Main, NodeProto? Shortcut, NodeProto? Sum) Block(string value)
    {
        List<NodeProto> main = [];
        NodeProto? shortcut = null, sum = null;
        foreach (var first in _graph.ConsumersOf(value).Where(node => node.OpType == "Conv"))
        {
            List<NodeProto> path = [first];
            while (true)
            {
                var next = Next(path[^1]);
                if (next.OpType == "Relu")
                    next = _graph.ConsumersOf(next.Output[0]).FirstOrDefault() ?? throw Fault("a Relu within a block leads nowhere");
                if (next.OpType != "Conv")
                {
                    if (next.OpType != "Add")
                        throw Fault($"a block has a {next.OpType}; allowed are Conv, BatchNormalization, Relu and Add");
                    sum = next;
                    break;
                }
                path.Add(next);
            }
            if (path.Count > 1)
                main = path;
            else
                shortcut = first;
        }
        return (main, shortcut, sum);
    }

    // What follows a convolution and its normalization.
    private NodeProto Next(NodeProto convolution)
    {
        var next = _graph.ConsumersOf(convolution.Output[0]);
        if (next is [{ OpType: "BatchNormalization" } norm])
            next = _graph.ConsumersOf(norm.Output[0]);
        return next is [var single] ? single : throw Fault($"what '{convolution.Output[0]}' gives goes to {next.Count} places");
    }

    private NodeProto Only(string value, string type) => _graph.ConsumersOf(value) is [var node] && node.OpType == type ? node
        : throw Fault($"behind '{value}' must come one {type}, there {(_graph.ConsumersOf(value) is [var other] ? "is a " + other.OpType
            : $"are {_graph.ConsumersOf(value).Count} nodes")}");

    // Keeps the weights of a convolution and its normalization; what comes out of them.
    private string Convolution(NodeProto node, string name, string norm, int side, int stride)
    {
        CheckWindow(node, side, stride);
        if (OnnxGraph.IntegersOf(node, "group") is { } group && group[0] != 1)
            throw Fault($"its convolution {name} has {group[0]} groups (ResNeXt); allowed is 1");
        _tensors[$"{name}.weight"] = _graph.Values(node.Input[1]);
        if (_graph.ConsumersOf(node.Output[0]) is [{ OpType: "BatchNormalization" } batch] && node.Input.Count == 2)
        {
            if (OnnxGraph.NumberOf(batch, "epsilon") is { } epsilon && Math.Abs(epsilon - Epsilon) > 1e-9)
                throw Fault($"its {norm} adds {epsilon} to variances; allowed is {Epsilon}");
            string[] parts = ["weight", "bias", "running_mean", "running_var"];
            for (var i = 0; i < parts.Length; i++)
                _tensors[$"{norm}.{parts[i]}"] = _graph.Values(batch.Input[i + 1]);
            return batch.Output[0];
        }
        // Folded: a normalization that leaves everything as it is and adds the bias.
        var channels = ChannelsOf(node);
        _tensors[$"{norm}.weight"] = ones(channels, dtype: ScalarType.Float32);
        _tensors[$"{norm}.bias"] = node.Input.Count > 2 ? _graph.Values(node.Input[2]) : zeros(channels, dtype: ScalarType.Float32);
        _tensors[$"{norm}.running_mean"] = zeros(channels, dtype: ScalarType.Float32);
        _tensors[$"{norm}.running_var"] = full(channels, Number(1 - Epsilon), dtype: ScalarType.Float32);
        return node.Output[0];
    }

    private long ChannelsOf(NodeProto convolution) => _graph.ShapeOf(convolution.Input[1]) is [> 0 and var channels, > 0, > 0, > 0] ? channels
        : throw Fault($"the weight '{convolution.Input[1]}' of a convolution has not four sizes above 0");

    private static long StrideOf(NodeProto node) => OnnxGraph.IntegersOf(node, "strides")?[0] ?? 1;

    private void CheckWindow(NodeProto node, int side, int stride)
    {
        var kernel = OnnxGraph.IntegersOf(node, "kernel_shape") ?? [.. _graph.ShapeOf(node.Input[1]).Skip(2)];
        var strides = OnnxGraph.IntegersOf(node, "strides") ?? [1, 1];
        var pads = OnnxGraph.IntegersOf(node, "pads") ?? [0, 0, 0, 0];
        var dilations = OnnxGraph.IntegersOf(node, "dilations") ?? [1, 1];
        long even = side / 2;
        var padded = pads is [var top, var left, var bottom, var right] && top == even && left == even && bottom == right
            && (bottom == even || (stride == 2 && bottom == even - 1));
        if (kernel is not [var height, var width] || height != side || width != side || strides.Any(s => s != stride) || !padded || dilations.Any(d => d != 1))
        {
            throw Fault($"its {node.OpType} '{node.Output[0]}' has sides [{string.Join(", ", kernel)}], strides [{string.Join(", ", strides)}], pads "
                + $"[{string.Join(", ", pads)}], expected {side}, {stride} and {even}");
        }
    }

    private FormatException Fault(string what) => new($"'{_path}' is no residual network of the kind that is read (torchvision's ResNet: a beginning of side 7, four "
        + $"stages of blocks of two or three convolutions): {what}.");
}
