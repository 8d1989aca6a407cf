using Google.Protobuf;
using Ssl.Estimators.Serialization.Onnx;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>ONNX files of image networks whose weights lost their names, as exporters write them.</summary>
[TestClass]
public sealed class ImageOnnxTests
{
    private static readonly SelfSupervisedCatalog s_ssl = TestDevice.Context(1).SelfSupervised();
    private static readonly byte[] s_image = ImageFolderTests.MakeUp(1);

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void ResidualNetworksAreFoundByTheirGraph(bool isBottleneck, bool folds)
    {
        var network = SmallImageNetwork.ResNet(isBottleneck);
        using var encoder = s_ssl.LoadPretrained(new MemoryStream(new OnnxWriter(network, folds).ResNet().ToByteArray()),
            new PretrainedOptions { ImageSize = SmallImageNetwork.Side });
        ImageFolderTests.AssertNear(network.Embed([.. s_image.Select(pixel => (double)pixel)]), ImageFolderTests.Embed(encoder, [s_image])[0], $"{isBottleneck}, {folds}");
    }

    [TestMethod]
    public void NetworksOfCntkTakeBlueFirst()
    {
        var network = SmallImageNetwork.ResNet(false);
        network.Pixels = ([103.06 / 255, 115.90 / 255, 123.15 / 255], [1.0 / 255, 1.0 / 255, 1.0 / 255]);
        var model = new OnnxWriter(network, folds: false).ResNet();
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
            File.WriteAllBytes(Path.Combine(folder, "model.onnx"), new OnnxWriter(network, folds: false).Transformer(ofTransformers ? network.OfTransformers : name => [name])
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
        Refuse("has 1 inputs and 1 outputs", graph => graph.Node.First(node => node.OpType == "Conv").Input.RemoveAt(1));
        Refuse("is taken before it is made, or made twice", graph => graph.Node.First(node => node.OpType == "Conv").Output[0] = graph.Node[^2].Output[0]);
        Refuse("has not four sizes above 0", graph =>
        {
            var sizes = graph.Initializer.First(weight => weight.Name == graph.Node.Where(node => node.OpType == "Conv").ElementAt(1).Input[1]).Dims;
            sizes[2] *= sizes[3];       // the same number of values
            sizes.RemoveAt(3);
        });
        Refuse("does not end in an average", graph => graph.Node[^1].OpType = "Flatten");
        var text = new ModelProto { Graph = new GraphProto { Node = { new NodeProto { OpType = "MatMul", Input = { "a", "b" }, Output = { "c" } } } } };
        StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(new MemoryStream(text.ToByteArray()))).Message, "vocabulary");

        static void Refuse(string sentence, Action<GraphProto> change)
        {
            var model = new OnnxWriter(SmallImageNetwork.ResNet(false), folds: false).ResNet();
            change(model.Graph);
            StringAssert.Contains(Assert.ThrowsExactly<FormatException>(() => s_ssl.LoadPretrained(new MemoryStream(model.ToByteArray()))).Message, sentence);
        }
    }
}
