using Ssl.Estimators.Serialization.Onnx;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Writes graphs with numbered weights.</summary>
internal sealed class OnnxWriter(SmallImageNetwork network, bool folds)
{
    private readonly GraphProto _graph = new() { Input = { new ValueInfoProto { Name = "input" } } };

    public ModelProto ResNet()
    {
        var value = Node("Relu", Convolve("conv1", "bn1", "input", 2));
        value = Node("MaxPool", value);
        Window(3, 2, cut: !folds);
        for (var stage = 0; stage < 4; stage++)
        {
            for (var block = 0; block < network.Blocks[stage]; block++)
            {
                var (name, stride) = ($"layer{stage + 1}.{block}.", stage > 0 && block == 0 ? 2 : 1);
                // exporters write the shortcut before or behind
                var hasShortcut = network.Weights.ContainsKey(name + "downsample.0.weight");
                var shortcut = hasShortcut && !folds ? Convolve(name + "downsample.0", name + "downsample.1", value, stride) : value;
                var sum = Node("Relu", Convolve(name + "conv1", name + "bn1", value, network.IsBottleneck ? 1 : stride));
                sum = Convolve(name + "conv2", name + "bn2", sum, network.IsBottleneck ? stride : 1);
                if (network.IsBottleneck)
                    sum = Convolve(name + "conv3", name + "bn3", Node("Relu", sum), 1);
                if (hasShortcut && folds)
                    shortcut = Convolve(name + "downsample.0", name + "downsample.1", value, stride);
                value = Node("Relu", Node("Add", sum, shortcut));
            }
        }
        Node("GlobalAveragePool", value);
        return new ModelProto { ProducerName = "pytorch", Graph = _graph };
    }

    // Not a graph to run: what the reader looks for.
    public ModelProto Transformer(Func<string, string[]> rename)
    {
        Weight(rename("patch_embed.proj.weight")[0], network.Weights["patch_embed.proj.weight"]);
        Node("Conv", "input", rename("patch_embed.proj.weight")[0], rename("patch_embed.proj.bias")[0]);
        foreach (var (name, (shape, values)) in network.Weights.Where(weight => weight.Key != "patch_embed.proj.weight"))
        {
            var names = rename(name);
            for (var i = 0; i < names.Length; i++)
            {
                long[] part = [.. shape];
                if (names.Length > 1)
                    part[0] /= names.Length;
                var mine = values.Chunk(values.Length / names.Length).ElementAt(i);
                if (part.Length != 2)
                {
                    Weight(names[i], (part, mine));
                    continue;
                }
                // transposed and numbered; its bias, which has a name, is added behind
                var number = Weight($"onnx::MatMul_{_graph.Initializer.Count}", ([part[1], part[0]],
                    [.. Enumerable.Range(0, mine.Length).Select(at => mine[at % part[0] * part[1] + at / part[0]])]));
                Node("Add", names[i].Replace(".weight", ".bias", StringComparison.Ordinal), Node("MatMul", "input", number));
            }
        }
        return new ModelProto { Graph = _graph };
    }

    private string Convolve(string name, string norm, string input, int stride)
    {
        var (shape, values) = network.Weights[name + ".weight"];
        string[] parts = [".weight", ".bias", ".running_mean", ".running_var"];
        var (scale, bias, mean, variance) = (network.Weights[norm + parts[0]].Values, network.Weights[norm + parts[1]].Values,
            network.Weights[norm + parts[2]].Values, network.Weights[norm + parts[3]].Values);
        string output;
        if (folds)
        {
            float Factor(int channel) => scale[channel] / MathF.Sqrt(variance[channel] + 1e-5f);
            var per = values.Length / (int)shape[0];
            output = Node("Conv", input, Weight(Number(), (shape, [.. values.Select((value, i) => value * Factor(i / per))])),
                Weight(Number(), ([shape[0]], [.. bias.Select((value, c) => value - mean[c] * Factor(c))])));
            Window((int)shape[2], stride, cut: false);
            return output;
        }
        output = Node("Conv", input, Weight(Number(), (shape, values)));
        Window((int)shape[2], stride, cut: stride == 2 && shape[2] > 1);
        return Node("BatchNormalization", [output, .. parts.Select(part => Weight(Number(), network.Weights[norm + part]))]);
    }

    private string Number() => $"Parameter{_graph.Initializer.Count}";

    private string Weight(string name, (long[] Shape, float[] Values) weight)
    {
        _graph.Initializer.Add(new TensorProto { Name = name, DataType = TensorProto.Types.DataType.Float, Dims = { weight.Shape }, FloatData = { weight.Values } });
        return name;
    }

    private string Node(string type, params string[] inputs)
    {
        _graph.Node.Add(new NodeProto { OpType = type, Input = { inputs }, Output = { $"value{_graph.Node.Count}" } });
        return _graph.Node[^1].Output[0];
    }

    // CNTK pads one less below and to the right.
    private void Window(int side, int stride, bool cut)
    {
        var pad = side / 2;
        _graph.Node[^1].Attribute.Add(new AttributeProto { Name = "kernel_shape", Ints = { side, side } });
        _graph.Node[^1].Attribute.Add(new AttributeProto { Name = "pads", Ints = { pad, pad, cut ? pad - 1 : pad, cut ? pad - 1 : pad } });
        _graph.Node[^1].Attribute.Add(new AttributeProto { Name = "strides", Ints = { stride, stride } });
    }
}
