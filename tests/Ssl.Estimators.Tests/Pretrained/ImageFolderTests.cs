using System.Text.Json.Nodes;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Pretrained;
using Ssl.Estimators.Rows;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Pretrained;

/// <summary>Folders of image networks as transformers, timm and torchvision write them, read and written.</summary>
[TestClass]
public sealed class ImageFolderTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly SelfSupervisedCatalog s_ssl = s_mlContext.SelfSupervised();
    private static readonly byte[][] s_images = [.. Enumerable.Range(0, 3).Select(MakeUp)];

    private string _folder = "";

    [TestInitialize]
    public void MakeFolder() => _folder = Path.Combine(Directory.CreateTempSubdirectory("ssl-pretrained-").FullName, "model");

    [TestCleanup]
    public void DropFolder() => Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);

    [TestMethod]
    [DataRow("torchvision", false)]
    [DataRow("torchvision", true)]
    [DataRow("timm", true)]
    [DataRow("transformers", false)]
    [DataRow("transformers", true)]
    public void ResidualNetworksAreThoseOfPlainLoops(string library, bool isBottleneck)
    {
        var network = SmallImageNetwork.ResNet(isBottleneck);
        WriteResNet(network, library);
        using var encoder = Load();
        AssertNear(network, encoder, library);
    }

    [TestMethod]
    [DataRow("transformers", false, false)]
    [DataRow("transformers", true, false)]
    [DataRow("timm", false, false)]
    [DataRow("timm", true, false)]
    [DataRow("timm", false, true)]
    [DataRow("timm", true, true)]
    [DataRow("torchvision", false, false)]
    public void VisionTransformersAreThoseOfPlainLoops(string library, bool hasDistillation, bool mean)
    {
        var network = SmallImageNetwork.Transformer(hasDistillation);
        WriteTransformer(network, library, mean);
        using var encoder = Load();
        AssertNear(network, encoder, library, mean);
    }

    [TestMethod]
    [DataRow("{\"image_mean\": [0.4, 0.5, 0.6], \"image_std\": [0.2, 0.3, 0.4], \"size\": 32}", 1.0, false)]
    [DataRow("{\"image_mean\": [0.4, 0.5, 0.6], \"image_std\": [0.2, 0.3, 0.4], \"rescale_factor\": 0.00784313725490196}", 2.0, false)]
    [DataRow("{\"do_rescale\": false, \"image_mean\": [100, 110, 120], \"image_std\": [50, 60, 70]}", 255.0, false)]
    [DataRow("{\"do_normalize\": false, \"size\": {\"shortest_edge\": 40}, \"do_center_crop\": true, \"crop_size\": {\"height\": 32, \"width\": 32}}", 1.0, false)]
    [DataRow("{\"do_flip_channel_order\": true, \"image_mean\": [0.4, 0.5, 0.6], \"image_std\": [0.2, 0.3, 0.4]}", 1.0, true)]
    public void PixelsAreWhatThePreprocessorSays(string settings, double factor, bool flips)
    {
        var json = JsonNode.Parse(settings)!;
        var network = SmallImageNetwork.ResNet(false);
        WriteResNet(network, "transformers");
        File.WriteAllText(Path.Combine(_folder, "preprocessor_config.json"), settings);
        double[] mean = [0, 0, 0], deviation = [1, 1, 1];
        if (json["image_mean"] is JsonArray means)
            (mean, deviation) = ([.. means.Select(value => value!.GetValue<double>())], [.. json["image_std"]!.AsArray().Select(value => value!.GetValue<double>())]);
        network.Pixels = ([.. mean.Select(value => value / factor)], [.. deviation.Select(value => value / factor)]);
        using var encoder = json["size"] is null ? Load() : s_ssl.LoadPretrained(_folder);       // its size, or that of the file
        Assert.AreEqual(SmallImageNetwork.Side, Factory(encoder).Shape.Height);
        var embeddings = Embed(encoder, s_images);
        for (var i = 0; i < s_images.Length; i++)
        {
            var plane = s_images[i].Length / 3;
            var seen = flips ? [.. s_images[i][(2 * plane)..], .. s_images[i][plane..(2 * plane)], .. s_images[i][..plane]] : s_images[i];
            AssertNear(network.Embed([.. seen.Select(pixel => (double)pixel)]), embeddings[i], settings);
        }
    }

    [TestMethod]
    public void OptionsOverrideTheFiles()
    {
        var network = SmallImageNetwork.ResNet(false);
        WriteResNet(network, "timm");
        network.Pixels = ([0.1, 0.2, 0.3], [0.5, 0.6, 0.7]);
        using var encoder = s_ssl.LoadPretrained(_folder, new PretrainedOptions
        {
            ImageSize = SmallImageNetwork.Side, OutputColumnName = "Vector", InputColumnName = "Photo", BlueFirst = true,
            Normalization = new ImageNormalization([0.3f, 0.2f, 0.1f], [0.7f, 0.6f, 0.5f]),
        });
        var rows = s_mlContext.Data.LoadFromEnumerable(s_images.Select(image => new PhotoRow { Photo = image }));
        var embeddings = encoder.Transform(rows).GetColumn<float[]>("Vector").ToArray();
        var plane = s_images[0].Length / 3;
        byte[] reversed = [.. s_images[0][(2 * plane)..], .. s_images[0][plane..(2 * plane)], .. s_images[0][..plane]];
        AssertNear(network.Embed([.. reversed.Select(pixel => (double)pixel)]), embeddings[0], "blue first");

        var transformer = SmallImageNetwork.Transformer();
        WriteTransformer(transformer, "timm", mean: false);
        using var pooled = s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImagePooling = ImagePooling.Mean });
        AssertNear(transformer, pooled, "mean", mean: true);

        using var numbers = s_ssl.LoadPretrained(_folder, new PretrainedOptions { PixelMaximum = 1 });
        var scaled = s_mlContext.Data.LoadFromEnumerable(s_images.Select(image => new NumberRow { Image = [.. image.Select(pixel => pixel / 255f)] }));
        AssertNear(transformer.Embed([.. s_images[0].Select(pixel => (double)pixel)]), numbers.Transform(scaled).GetColumn<float[]>("Features").First(), "pixels to 1");
    }

    [TestMethod]
    [DataRow(48)]
    [DataRow(16)]
    public void PositionsAreInterpolatedForAnotherSize(int size)
    {
        var network = SmallImageNetwork.Transformer();
        WriteTransformer(network, "timm", mean: false);
        using var encoder = s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImageSize = size, InputSize = SmallImageNetwork.Side });
        Assert.AreEqual(size, Factory(encoder).NetworkShape.Height);
        // Plain loops: images by triangles, positions by cubics (a = -0.75).
        var (shape, values) = network.Weights["pos_embed"];
        var (old, now) = (SmallImageNetwork.Side / SmallImageNetwork.Patch, size / SmallImageNetwork.Patch);
        var positions = new float[(1 + now * now) * SmallImageNetwork.Dimension];
        values.AsSpan(0, SmallImageNetwork.Dimension).CopyTo(positions);
        for (var d = 0; d < SmallImageNetwork.Dimension; d++)
        {
            double[] grid = [.. Enumerable.Range(0, old * old).Select(place => (double)values[(1 + place) * SmallImageNetwork.Dimension + d])];
            var resized = Resize(grid, old, now, 2, cubic: true);
            for (var place = 0; place < now * now; place++)
                positions[(1 + place) * SmallImageNetwork.Dimension + d] = (float)resized[place];
        }
        network.Weights["pos_embed"] = ([1, 1 + now * now, SmallImageNetwork.Dimension], positions);
        var embeddings = Embed(encoder, s_images);
        for (var i = 0; i < s_images.Length; i++)
            AssertNear(network.Embed(ResizeImage(s_images[i], SmallImageNetwork.Side, size)), embeddings[i], $"{size} pixels");
    }

    [TestMethod]
    [DataRow("resnet", PretrainedLayout.Transformers)]
    [DataRow("bottleneck", PretrainedLayout.Transformers)]
    [DataRow("vit", PretrainedLayout.Transformers)]
    [DataRow("deit", PretrainedLayout.Transformers)]
    [DataRow("vit", PretrainedLayout.Timm)]
    [DataRow("deit mean", PretrainedLayout.Timm)]
    [DataRow("vit mean", PretrainedLayout.Transformers)]
    public void WhatIsWrittenIsReadBackToTheBit(string kind, PretrainedLayout layout)
    {
        if (kind is "resnet" or "bottleneck")
            WriteResNet(SmallImageNetwork.ResNet(kind == "bottleneck"), "transformers");
        else
            WriteTransformer(SmallImageNetwork.Transformer(kind.StartsWith("deit", StringComparison.Ordinal)), layout == PretrainedLayout.Timm ? "timm" : "transformers",
                kind.EndsWith("mean", StringComparison.Ordinal));
        using var first = kind is "resnet" or "bottleneck" ? Load() : s_ssl.LoadPretrained(_folder);
        var copy = _folder + "-copy";
        s_ssl.SavePretrained(first, copy, layout);
        s_ssl.SavePretrained(first, copy, layout);           // over what is there
        using var second = s_ssl.LoadPretrained(copy);
        Assert.AreEqual(Factory(first).ToJson().ToJsonString(), Factory(second).ToJson().ToJsonString());
        AssertEqual(Embed(first, s_images), Embed(second, s_images));
        Assert.HasCount(1, Directory.GetDirectories(Path.GetDirectoryName(copy)!, "model-copy*"), "a temporary folder was left");
        if (layout == PretrainedLayout.Transformers)
        {
            using var weights = PretrainedWeights.ReadSafeTensors(PretrainedFiles.OfFolder(copy));
            using var original = PretrainedWeights.ReadSafeTensors(PretrainedFiles.OfFolder(_folder));
            string[] expected = [.. original.Names.Where(name => !name.StartsWith("classifier", StringComparison.Ordinal)).Select(name => name[(name.IndexOf('.') + 1)..])];
            CollectionAssert.AreEquivalent(expected, weights.Names.Where(name => !PretrainedResNet.IsCounter(name)).ToArray());
        }
        // and as an archive of our own
        var path = Path.Combine(Path.GetDirectoryName(_folder)!, "encoder");
        s_ssl.SaveEncoder(first, path);
        using var loaded = s_ssl.LoadEncoder(path);
        AssertEqual(Embed(first, s_images), Embed(loaded, s_images));
    }

    [TestMethod]
    public void WhatWasTrainedHereIsWrittenToo()
    {
        var rows = s_mlContext.Data.LoadFromEnumerable(s_images.Select(image => new ImageRow { Image = image }));
        using var own = s_ssl.Images.SimClr(encoder: ImageEncoders.ResNet18(imageSize: 32, stem: ImageStem.Large, width: 2), numberOfEpochs: 0).Fit(rows);
        s_ssl.SavePretrained(own, _folder);
        using var read = s_ssl.LoadPretrained(_folder);
        AssertEqual(Embed(own, s_images), Embed(read, s_images));
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => s_ssl.SavePretrained(own, _folder, PretrainedLayout.Timm)).Message, "64 wide");

        using var small = s_ssl.Images.SimClr(encoder: ImageEncoders.ResNet18(imageSize: 32, width: 2), numberOfEpochs: 0).Fit(rows);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => s_ssl.SavePretrained(small, _folder)).Message, "small convolution");
        using var other = s_ssl.Images.SimClr(encoder: ImageEncoders.SmallConvNet(imageSize: 32, width: 2), numberOfEpochs: 0).Fit(rows);
        StringAssert.Contains(Assert.ThrowsExactly<NotSupportedException>(() => s_ssl.SavePretrained(other, _folder)).Message, "image.convnet");
    }

    [TestMethod]
    public void MethodsStartFromTheWeights()
    {
        WriteResNet(SmallImageNetwork.ResNet(false), "timm");
        using var start = s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImageSize = 48, InputSize = SmallImageNetwork.Side });
        var before = Embed(start, s_images);
        var rows = s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(i => new ImageRow { Image = MakeUp(i) }));
        using (var untouched = s_ssl.Images.SimClr(encoder: start, numberOfEpochs: 0).Fit(rows))
        {
            AssertEqual(before, Embed(untouched, s_images));
            Assert.AreEqual(48, Factory(untouched).NetworkShape.Height, "the resizing goes along");
        }
        using (var moved = s_ssl.Images.SimClr(encoder: start.ToImageEncoderFactory(), batchSize: 8, numberOfEpochs: 1, learningRate: 1e-3).Fit(rows))
            CollectionAssert.AreNotEqual(before[0], Embed(moved, s_images)[0]);
        AssertEqual(before, Embed(start, s_images));

        WriteTransformer(SmallImageNetwork.Transformer(true), "timm", mean: true);
        using var transformer = s_ssl.LoadPretrained(_folder);
        using var masked = s_ssl.Images.MaskedAutoencoder(encoder: transformer, batchSize: 8, numberOfEpochs: 2).Fit(rows);
        Assert.IsLessThan(masked.TrainingHistory!.Epochs[0].Loss * 1.5, masked.TrainingHistory.Epochs[1].Loss);
        CollectionAssert.AreNotEqual(Embed(transformer, s_images)[0], Embed(masked, s_images)[0]);
    }

    [TestMethod]
    public void ManyImagesAreEmbeddedPartByPartAsOneIs()
    {
        WriteResNet(SmallImageNetwork.ResNet(false), "timm");
        using var encoder = s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImageSize = 448, InputSize = SmallImageNetwork.Side });
        byte[][] images = [.. Enumerable.Range(0, 17).Select(MakeUp)];
        var together = Embed(encoder, images);
        foreach (var i in new[] { 0, 15, 16 })
            AssertNear([.. Embed(encoder, [images[i]])[0].Select(value => (double)value)], together[i], $"image {i}");
    }

    [TestMethod]
    public void BlocksAreThoseOfTheLibraries()
    {
        WriteResNet(SmallImageNetwork.ResNet(true), "timm");
        using var resNet = Load();
        CollectionAssert.AreEqual(new[] { "layer1.0", "layer2.0", "layer3.0", "layer3.1", "layer4.0" }, resNet.Model.Network.Blocks.ToArray());
        var blocks = new EncoderBlocks(resNet.Model.Network);
        Assert.AreEqual((5, 0, 0, 1, 3), (blocks.Count, blocks["conv1.weight"], blocks["bn1.bias"], blocks["layer2.0.downsample.1.weight"], blocks["layer3.1.conv3.weight"]));

        WriteTransformer(SmallImageNetwork.Transformer(), "timm", mean: true);
        using var transformer = s_ssl.LoadPretrained(_folder);
        blocks = new EncoderBlocks(transformer.Model.Network);
        Assert.AreEqual((2, 0, 0, 0, 1, 1), (blocks.Count, blocks["pos_embed"], blocks["patch_embed.proj.weight"], blocks["blocks.0.mlp.fc2.bias"],
            blocks["blocks.1.norm1.weight"], blocks["norm.bias"]));
    }

    [TestMethod]
    [DataRow("{\"model_type\": \"swin\"}", "resnet; timm's and torchvision's")]
    [DataRow("{\"model_type\": \"resnet\", \"hidden_act\": \"gelu\"}", "hidden_act")]
    [DataRow("{\"model_type\": \"resnet\", \"downsample_in_first_stage\": true}", "downsample_in_first_stage")]
    [DataRow("{\"model_type\": \"resnet\", \"depths\": [1, 1, 1, 1]}", "[1, 1, 2, 1]")]
    public void FaultyFilesAreNamed(string config, string sentence)
    {
        WriteResNet(SmallImageNetwork.ResNet(false), "transformers");
        File.WriteAllText(Path.Combine(_folder, "config.json"), config);
        var fault = Assert.ThrowsExactly<FormatException>(() => Load());
        StringAssert.Contains(fault.Message, sentence);
        StringAssert.Contains(fault.Message, _folder);
    }

    [TestMethod]
    public void NetworksOfOtherKindsAreRefused()
    {
        var network = SmallImageNetwork.ResNet(false);
        WriteResNet(network, "torchvision");
        Refuse("must be null", () => s_ssl.LoadPretrained(_folder, new PretrainedOptions { MaximumTokens = 12 }));
        Refuse("ImagePooling", () => s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImagePooling = ImagePooling.Mean }));
        network.Weights["layer1.0.se.fc1.weight"] = ([1], [1]);
        network.Write(_folder);
        Refuse("'layer1.0.se.fc1.weight'", () => Load());
        network.Weights.Remove("layer1.0.se.fc1.weight");
        network.Weights.Remove("layer2.0.bn1.bias");
        network.Write(_folder);
        Refuse("'layer2.0.bn1.bias' is missing", () => Load());
        network.Weights["conv1.weight"] = ([4, 3, 3, 3], new float[108]);
        network.Write(_folder);
        Refuse("resnet50d", () => Load());

        var transformer = SmallImageNetwork.Transformer();
        WriteTransformer(transformer, "timm", mean: false);
        Refuse("multiple of 8", () => s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImageSize = 20 }));
        File.Delete(Path.Combine(_folder, "config.json"));
        Refuse("num_heads", () => s_ssl.LoadPretrained(_folder));
        transformer.Weights["blocks.0.ls1.gamma"] = ([8], new float[8]);
        WriteTransformer(transformer, "timm", mean: false);
        Refuse("'blocks.0.ls1.gamma'", () => s_ssl.LoadPretrained(_folder));

        static void Refuse(string sentence, Action load)
        {
            try
            {
                load();
            }
            catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
            {
                StringAssert.Contains(e.Message, sentence);
                return;
            }
            Assert.Fail($"Nothing was thrown that says {sentence}.");
        }
    }

    private void WriteResNet(SmallImageNetwork network, string library)
    {
        network.Write(_folder, library == "transformers" ? network.OfTransformers : null, library == "transformers" ? "resnet." : "");
        if (library == "transformers")
            File.WriteAllText(Path.Combine(_folder, "config.json"), "{\"model_type\": \"resnet\", \"hidden_act\": \"relu\", \"depths\": [1, 1, 2, 1]}");
        if (library == "timm")
        {
            network.Pixels = ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]);
            File.WriteAllText(Path.Combine(_folder, "config.json"),
                "{\"architecture\": \"resnet18\", \"pretrained_cfg\": {\"input_size\": [3, 64, 64], \"mean\": [0.1, 0.2, 0.3], \"std\": [0.4, 0.5, 0.6]}}");
        }
    }

    private void WriteTransformer(SmallImageNetwork network, string library, bool mean)
    {
        network.Write(_folder, library switch { "transformers" => network.OfTransformers, "torchvision" => SmallImageNetwork.OfTorchvision, _ => null },
            library == "transformers" ? network.HasDistillation ? "deit." : "vit." : "");
        var config = new JsonObject { ["model_args"] = new JsonObject { ["num_heads"] = SmallImageNetwork.Heads } };
        if (library == "timm")
            (config["architecture"], config["global_pool"]) = ("vit_tiny_patch16_224", mean ? "avg" : "token");
        if (library == "torchvision")
            config["architecture"] = "vit_b_16";
        if (library == "transformers")
        {
            (network.Pixels, network.Epsilon) = (([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]), 1e-12);
            config = new JsonObject { ["model_type"] = network.HasDistillation ? "deit" : "vit", ["num_attention_heads"] = SmallImageNetwork.Heads };
            if (mean)
                config["global_pool"] = "avg";
        }
        File.WriteAllText(Path.Combine(_folder, "config.json"), config.ToJsonString());
    }

    private EncoderTransformer Load() => s_ssl.LoadPretrained(_folder, new PretrainedOptions { ImageSize = SmallImageNetwork.Side });

    private static ImageEncoderFactory Factory(EncoderTransformer encoder) => ((ImageRowFormat)encoder.Model.Format).Factory;

    internal static float[][] Embed(EncoderTransformer encoder, IEnumerable<byte[]> images)
        => [.. encoder.Transform(s_mlContext.Data.LoadFromEnumerable(images.Select(image => new ImageRow { Image = image }))).GetColumn<float[]>(encoder.OutputColumnName)];

    private static void AssertNear(SmallImageNetwork network, EncoderTransformer encoder, string what, bool mean = false)
    {
        var embeddings = Embed(encoder, s_images);
        for (var i = 0; i < s_images.Length; i++)
            AssertNear(network.Embed([.. s_images[i].Select(pixel => (double)pixel)], mean), embeddings[i], $"{what}, image {i}");
    }

    internal static void AssertNear(double[] expected, float[] actual, string what)
    {
        Assert.HasCount(expected.Length, actual);
        Assert.IsGreaterThan(1e-3, expected.Max() - expected.Min(), "the network says nothing");
        var size = Math.Max(1, expected.Max(Math.Abs));
        for (var d = 0; d < expected.Length; d++)
            Assert.AreEqual(expected[d], actual[d], 1e-5 * size, $"{what}, dimension {d}");
    }

    private static void AssertEqual(float[][] expected, float[][] actual)
    {
        for (var i = 0; i < expected.Length; i++)
            CollectionAssert.AreEqual(expected[i], actual[i]);
    }

    // Blocks of colors with noise.
    internal static byte[] MakeUp(int seed)
    {
        var random = new Random(seed);
        byte[] colors = [.. Enumerable.Range(0, 48).Select(_ => (byte)random.Next(30, 226))];
        return [.. Enumerable.Range(0, 3 * SmallImageNetwork.Side * SmallImageNetwork.Side).Select(i => (byte)(colors[i / 1024 * 16 + i % 1024 / 256 * 4 + i % 32 / 8]
            + random.Next(-30, 31)))];
    }

    internal static double[] ResizeImage(byte[] image, int side, int size)
        => [.. image.Chunk(side * side).SelectMany(plane => Resize([.. plane.Select(pixel => (double)pixel)], side, size, 1, cubic: false))];

    // A square plane by a kernel of a reach: triangles widen where they shrink, cubics do not.
    private static double[] Resize(double[] plane, int side, int size, int reach, bool cubic)
    {
        var scale = (double)side / size;
        var wide = cubic ? 1 : Math.Max(1, scale);
        double[][] weights = [.. Enumerable.Range(0, size).Select(to =>
        {
            var middle = (to + 0.5) * scale - 0.5;
            var row = new double[side];
            for (var from = (int)Math.Floor(middle - reach * wide); from <= middle + reach * wide; from++)
            {
                // beyond the border: cubics repeat the last pixel, triangles leave it out
                if (cubic || (from >= 0 && from < side))
                    row[Math.Clamp(from, 0, side - 1)] += cubic ? Cubic(Math.Abs(from - middle)) : Math.Max(0, 1 - Math.Abs(from - middle) / wide);
            }
            return row.Select(weight => weight / row.Sum()).ToArray();
        })];
        // across, then down
        double[] lines = [.. plane.Chunk(side).SelectMany(line => weights.Select(row => Sum(row, i => line[i])))];
        return [.. weights.SelectMany(row => Enumerable.Range(0, size).Select(x => Sum(row, y => lines[y * size + x])))];

        static double Sum(double[] weights, Func<int, double> value)
        {
            var sum = 0.0;
            for (var i = 0; i < weights.Length; i++)
            {
                if (weights[i] != 0)
                    sum += weights[i] * value(i);
            }
            return sum;
        }

        static double Cubic(double x) => x <= 1 ? (1.25 * x - 2.25) * x * x + 1 : x < 2 ? ((-0.75 * x + 3.75) * x - 6) * x + 3 : 0;
    }

    private sealed class ImageRow
    {
        [VectorType(3, SmallImageNetwork.Side, SmallImageNetwork.Side)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class NumberRow
    {
        [VectorType(3, SmallImageNetwork.Side, SmallImageNetwork.Side)]
        public float[] Image { get; set; } = [];
    }

    private sealed class PhotoRow
    {
        [VectorType(3, SmallImageNetwork.Side, SmallImageNetwork.Side)]
        public byte[] Photo { get; set; } = [];
    }
}
