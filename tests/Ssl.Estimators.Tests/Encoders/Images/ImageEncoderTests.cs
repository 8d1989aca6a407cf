using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

/// <summary>Image networks: values of torchvision and torch on the same weights, names, descriptions, sizes that do not fit.</summary>
[TestClass]
public sealed class ImageEncoderTests
{
    // torchvision's networks take what they get: no standardizing.
    private static readonly ImageNormalization None = new([0, 0, 0], [1, 1, 1]);

    private static IEnumerable<ImageEncoderFactory> Factories()
    {
        yield return ImageEncoders.SmallConvNet(imageSize: 12, channels: 1, numberOfStages: 3, width: 4);
        yield return ImageEncoders.ResNet18(imageSize: 12, channels: 2, width: 4);
        yield return ImageEncoders.ResNet18(imageSize: 12, channels: 2, stem: ImageStem.Strided, width: 4);
        yield return ImageEncoders.ResNet34(imageSize: 12, channels: 3, width: 2);
        yield return ImageEncoders.ResNet50(imageSize: 12, channels: 3, width: 2);
        yield return ImageEncoders.VisionTransformer(12, 3, 4, numberOfLayers: 2, dimension: 16, numberOfHeads: 2);
        yield return ImageEncoders.VisionTransformer(12, 4, 1, 1, 8, 1, ImagePooling.Class);
    }

    [TestMethod]
    public void ResNetsHaveTorchvisionsValuesAndNames()
    {
        foreach (var (factory, expected) in ((ImageEncoderFactory, float[])[])[
            (ImageEncoders.ResNet18(40, stem: ImageStem.Large), ImageNumbers.ResNet18),
                (ImageEncoders.ResNet50(40, stem: ImageStem.Large), ImageNumbers.ResNet50)])
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var streams = new RandomStreams(1);
            using var encoder = factory.WithNormalization(None).Create(streams);
            var weights = encoder.state_dict();
            foreach (var name in (string[])["conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight",
                "layer2.0.downsample.1.running_mean", "layer4.1.bn2.bias"])
                Assert.IsTrue(weights.ContainsKey(name), name);
            ImageSamples.Fill(weights);
            encoder.eval();
            var output = encoder.call(new ImageBatch(ImageSamples.Image(3, 40, 36)));
            float largest = expected.Max(Math.Abs);
            ImageSamples.AssertClose(expected, output[0].narrow(0, 0, 24), 1e-4 * Math.Max(1, largest));
        }
    }

    [TestMethod]
    public void TheVisionTransformerHasTorchsValuesAndTimmsNames()
    {
        foreach (var pooling in Enum.GetValues<ImagePooling>())
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            using var streams = new RandomStreams(1);
            using var encoder = ImageEncoders.VisionTransformer(16, 4, 3, 2, 24, 3, pooling).WithNormalization(None).Create(streams);
            var weights = encoder.state_dict();
            foreach (var name in (string[])["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.bias",
                "blocks.1.mlp.fc2.weight", "norm.weight"])
                Assert.IsTrue(weights.ContainsKey(name), name);
            ImageSamples.Fill(weights);
            encoder.eval();
            var expected = pooling == ImagePooling.Class ? ImageNumbers.VisionTransformer[..24] : ImageNumbers.VisionTransformer[24..];
            ImageSamples.AssertClose(expected, encoder.call(new ImageBatch(ImageSamples.Image(3, 16, 16)))[0], 1e-4);
        }
    }

    [TestMethod]
    public void EmbeddingsHaveTheStatedLengthAndDescriptionsComeBack()
    {
        foreach (var plain in Factories())
        {
            using var scope = NewDisposeScope();
            var factory = plain.WithNormalization(new ImageNormalization(
                [.. Enumerable.Repeat(0.3f, plain.Shape.Channels)], [.. Enumerable.Repeat(0.2f, plain.Shape.Channels)]));
            var read = (ImageEncoderFactory)EncoderFactory.FromJson(JsonNode.Parse(factory.ToJson().ToJsonString())!.AsObject());
            Assert.AreEqual(factory.ToJson().ToJsonString(), read.ToJson().ToJsonString());
            using RandomStreams first = new(1), second = new(1);
            using ImageEncoder a = factory.Create(first), b = read.Create(second);
            a.eval();
            b.eval();
            var shape = factory.Shape;
            var images = new ImageBatch(rand(3, shape.Channels, shape.Height, shape.Width).mul_(255).to(ScalarType.Byte));
            var output = a.call(images);
            CollectionAssert.AreEqual(new long[] { 3, factory.EmbeddingDimension }, output.shape);
            Assert.IsTrue(ImageSamples.Same(output, b.call(images)), factory.Kind);
        }
    }

    [TestMethod]
    public void BytesAreStandardized()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = ImageEncoders.SmallConvNet(4, 1, 1, 2).WithNormalization(new ImageNormalization([0.5f], [0.25f]))
            .Create(streams);
        var bytes = tensor(new byte[] { 0, 51, 102, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }).view(1, 1, 4, 4);
        var standard = encoder.Standardize(new ImageBatch(bytes)).flatten();
        ImageSamples.AssertClose([-2, -1.2f, -0.4f, 2], standard.narrow(0, 0, 4), 1e-5);
        ImageSamples.AssertClose([-2, -1.2f, -0.4f, 2],
            encoder.Standardize(new ImageBatch(bytes.to(ScalarType.Float32) / 255)).flatten().narrow(0, 0, 4), 1e-5);
    }

    [TestMethod]
    public void PatchesComeInRowsAndSomeOfThemAreEnough()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = (PatchEncoder)ImageEncoders.VisionTransformer(8, 4, 2, 1, 8, 2).Create(streams);
        var pixels = arange(2 * 2 * 64, dtype: ScalarType.Float32).view(2, 2, 8, 8);
        var patches = encoder.Patchify(pixels);                                                     // [2, 4, 32]
        CollectionAssert.AreEqual(new long[] { 2, 4, 32 }, patches.shape);
        Assert.IsTrue(ImageSamples.Same(patches[1, 1].view(2, 4, 4), pixels[1].narrow(1, 0, 4).narrow(2, 4, 4)));
        var places = tensor(new long[] { 3, 1, 0, 2 }).view(2, 2);
        var some = encoder.EmbedPatches(patches.gather(1, places.unsqueeze(2).expand(2, 2, 32)), places);
        var all = encoder.EmbedPatches(patches);
        Assert.IsLessThan(1e-4f, (some[0, 0] - all[0, 3]).abs().max().item<float>());
        Assert.IsLessThan(1e-4f, (some[1, 1] - all[1, 2]).abs().max().item<float>());
        CollectionAssert.AreEqual(new long[] { 2, 2, 8 }, encoder.EncodePatches(some).shape);
    }

    [TestMethod]
    public void AModuleOfTheUsersIsAnEncoder()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var factory = ImageEncoders.OfModule("test.flat", 4, 1, 5,
            () => nn.Sequential(("flat", nn.Flatten()), ("dense", nn.Linear(16, 5))));
        using var encoder = EncoderFactory.FromJson(factory.ToJson()) is ImageEncoderFactory read ? read.Create(streams) : null;
        CollectionAssert.AreEqual(new long[] { 2, 5 }, encoder!.call(new ImageBatch(rand(2, 1, 4, 4))).shape);
        using var wrong = ImageEncoders.OfModule("test.wrong", 4, 1, 5, () => nn.Flatten()).Create(streams);
        StringAssert.Contains(Assert.Throws<InvalidOperationException>(() => wrong.call(new ImageBatch(rand(2, 1, 4, 4)))).Message,
            "[N, 5], got [2, 16]");
    }

    [TestMethod]
    public void WrongSizesAreNamed()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => ImageEncoders.VisionTransformer(28, 5, 0, 0, 6, 4));
        foreach (var part in (string[])["channels must be at least 1, got 0"])
            StringAssert.Contains(fault.Message, part);
        fault = Assert.Throws<ArgumentOutOfRangeException>(() => ImageEncoders.VisionTransformer(28, 5, 1, 0, 6, 4));
        foreach (var part in (string[])["patchSize must divide the image's height 28 and width 28, got 5", "numberOfLayers",
            "dimension must be a multiple of 4, got 6"])
            StringAssert.Contains(fault.Message, part);
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageEncoders.SmallConvNet(numberOfStages: 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageEncoders.SmallConvNet().WithNormalization(new ImageNormalization([0], [1])));
        using var vit = ImageEncoders.VisionTransformer(8, 4, 3, 1, 8, 2).Create(streams);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => vit.call(new ImageBatch(rand(1, 3, 12, 8)))).Message,
            "takes images [3, 8, 8], got [3, 12, 8]");
        using var net = ImageEncoders.SmallConvNet(8, 3, 2, 2).Create(streams);
        net.eval();
        CollectionAssert.AreEqual(new long[] { 1, 4 }, net.call(new ImageBatch(rand(1, 3, 1, 1))).shape, "one pixel");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => net.call(new ImageBatch(rand(1, 1, 8, 8)))).Message, "got [1, 8, 8]");
    }
}
