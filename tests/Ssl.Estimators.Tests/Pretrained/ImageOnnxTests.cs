using Google.Protobuf;
using Microsoft.ML;
using Ssl.Estimators.Pretrained;
using Ssl.Estimators.Serialization.Onnx;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>ONNX files of image networks whose weights lost their names, as exporters write them.</summary>
[TestClass]
public sealed class ImageOnnxTests
{
    private static readonly SelfSupervisedCatalog s_ssl = new MLContext(seed: 1).SelfSupervised();
    private static readonly byte[] s_image = ImageFolderTests.MakeUp(1);

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void ResidualNetworksAreFoundByTheirGraph(bool isBottleneck, bool folds)
    {
        var network = SmallImageNetwork.ResNet(isBottleneck);
        using var encoder = s_ssl.LoadPretrained(new MemoryStream(new Writer(network, folds).ResNet().ToByteArray()),
            new PretrainedOptions { ImageSize = SmallImageNetwork.Side });
        ImageFolderTests.AssertNear(network.Embed([.. s_image.Select(pixel => (double)pixel)]), ImageFolderTests.Embed(encoder, [s_image])[0], $"{isBottleneck}, {folds}");
    }

    [TestMethod]
    public void NetworksOfCntkTakeBlueFirst()
    {
        var network = SmallImageNetwork.ResNet(false);
        network.Pixels = ([103.06 / 255, 115.90 / 255, 123.15 / 255], [1.0 / 255, 1.0 / 255, 1.0 / 255]);
        var model = new Writer(network, folds: false).ResNet();
        model.ProducerName = "CNTK";
        using var encoder = s_ssl.LoadPretrained(new MemoryStream(model.ToByteArray()), new PretrainedOptions { ImageSize = SmallImageNetwork.Side });
        var seen = s_image.Chunk(s_image.Length / 3).Reverse().SelectMany(plane => plane).Select(pixel => (double)pixel).ToArray();
        ImageFolderTests.AssertNear(network.Embed(seen), ImageFolderTests.Embed(encoder, [s_image])[0], "CNTK");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void VisionTransformersAreFoundByTheNamesOfTheirBiases(bool ofTransformers)
    {
        var network = SmallImageNetwork.Transformer();
        network.Epsilon = 1e-6;
        var folder = Directory.CreateTempSubdirectory("ssl-onnx-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "model.onnx"), new Writer(network, folds: false).Transformer(ofTransformers ? network.OfTransformers : name => [name])
                .ToByteArray());
            File.WriteAllText(Path.Combine(folder, "config.json"), ofTransformers
                ? "{\"model_type\": \"vit\", \"num_attention_heads\": 2, \"layer_norm_eps\": 1e-6}" : "{\"architecture\": \"vit\", \"model_args\": {\"num_heads\": 2}}");
            if (ofTransformers)
                network.Pixels = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
            using var encoder = s_ssl.LoadPretrained(folder);
            ImageFolderTests.AssertNear(network.Embed([.. s_image.Select(pixel => (double)pixel)]), ImageFolderTests.Embed(encoder, [s_image])[0], "ONNX");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void OtherGraphsAreRefused()
    {
        Refuse("has sides [3, 3], strides [2, 1]", graph => graph.Node.First(node => node.OpType == "Conv" && node.Input[1].EndsWith('5')).Attribute[2].Ints[0] = 2);
        Refuse("has 2 groups", graph => graph.Node.Last(node => node.OpType == "Conv").Attribute.Add(new AttributeProto { Name = "group", I = 2 }));
        Refuse("must come one Relu, there is a Sigmoid", graph => graph.Node.First(node => node.OpType == "Relu").OpType = "Sigmoid");
        Refuse("a block has a Mul", graph => graph.Node.Last(node => node.OpType == "Add").OpType = "Mul");
        Refuse("does not end in an average", graph => graph.Node[^1].OpType = "Flatten");
        var text = new ModelProto { Graph = new GraphProto { Node = { new NodeProto { OpType = "MatMul", Input = { "a", "b" }, Output = { "c" } } } } };
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(new MemoryStream(text.ToByteArray()))).Message, "vocabulary");

        static void Refuse(string sentence, Action<GraphProto> change)
        {
            var model = new Writer(SmallImageNetwork.ResNet(false), folds: false).ResNet();
            change(model.Graph);
            StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(new MemoryStream(model.ToByteArray()))).Message, sentence);
        }
    }

    /// <summary>Writes graphs with numbered weights.</summary>
    private sealed class Writer(SmallImageNetwork network, bool folds)
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
}
