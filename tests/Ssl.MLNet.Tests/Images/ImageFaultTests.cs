using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Images;

/// <summary>What image trainers say to bad input, and what odd input they take.</summary>
[TestClass]
public sealed class ImageFaultTests
{
    private static readonly ImageEncoderFactory Net = ImageEncoders.SmallConvNet(4, 1, 2, 4);

    private static IDataView Bytes(MLContext mlContext, int count, params int[] shape)
    {
        var random = new Random(1);
        var definition = SchemaDefinition.Create(typeof(ByteRow));
        definition["Image"].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, shape);
        return mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(_ =>
        {
            var row = new ByteRow { Image = new byte[shape.Aggregate(1, (a, b) => a * b)] };
            random.NextBytes(row.Image);
            return row;
        }).ToList(), definition);
    }

    [TestMethod]
    public void ImagesOfAnotherSizeAreRefused()
    {
        var mlContext = TestDevice.Context(1);
        var images = mlContext.SelfSupervised().Images;
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => images.SimClr(encoder: Net).Fit(Bytes(mlContext, 8, 3, 4, 4)));
        StringAssert.Contains(fault.Message,
            "Schema mismatch for input column 'Image': expected Image, or a vector of Byte, Single or another number of [1, 4, 4], got Vector<Byte, 3, 4, 4>");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => images.SimClr(encoder: Net).Fit(Bytes(mlContext, 8, 17)));
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => images.SimClr().Fit(Bytes(mlContext, 8, 16)));
        StringAssert.Contains(fault.Message, "The type must say channels, height and width");
        // Flat vectors are taken where the encoder says what they are.
        using var encoder = images.SimClr(encoder: Net, numberOfEpochs: 1, batchSize: 4).Fit(Bytes(mlContext, 8, 16));
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => encoder.Transform(Bytes(mlContext, 2, 1, 5, 5)));
        StringAssert.Contains(fault.Message, "of [1, 4, 4], got Vector<Byte, 1, 5, 5>");
    }

    [TestMethod]
    public void OptionsAreCheckedWhenTheEstimatorIsMade()
    {
        var images = TestDevice.Context(1).SelfSupervised().Images;
        StringAssert.Contains(Fault(() => images.SimClr(batchSize: 1)), "BatchSize must be at least 2, got 1");
        StringAssert.Contains(Fault(() => images.MaskedAutoencoder(maskRatio: 0)), "MaskRatio");
        StringAssert.Contains(Fault(() => images.MaskedAutoencoder(maskRatio: 1)), "MaskRatio");
        StringAssert.Contains(Fault(() => images.MaskedAutoencoder(encoder: Net)), "Encoder must be one of patches");
        StringAssert.Contains(Fault(() => ImageEncoders.ViTTiny(imageSize: 30, patchSize: 4)),
            "patchSize must divide the image's height 30");
        StringAssert.Contains(Fault(() => images.MoCo(queueSize: 0, temperature: 0)), "QueueSize must be at least 1");
        StringAssert.Contains(Fault(() => images.SimClr(new SimClrTrainer.Options { PixelMaximum = 0 })), "PixelMaximum");
        var mlContext = TestDevice.Context(1);
        StringAssert.Contains(Fault(() => mlContext.SelfSupervised().Images.SimClr(new SimClrTrainer.Options { PixelMaximum = 1 })
            .Fit(Bytes(mlContext, 4, 1, 4, 4))),
            "PixelMaximum must be 255 for a column of Byte");
    }

    [TestMethod]
    public void MixedPrecisionLearnsNearlyTheSameAndIsRefusedForModulesOfOnesOwn()
    {
        var mlContext = TestDevice.Context(1);
        var images = mlContext.SelfSupervised().Images;
        var data = Bytes(mlContext, 32, 1, 4, 4);
        float[][] Train(bool mixed)
        {
            using var encoder = images.SimClr(new SimClrTrainer.Options { Encoder = Net, BatchSize = 16, NumberOfEpochs = 2,
                MixedPrecision = mixed, Seed = 1 }).Fit(data);
            return [.. encoder.Transform(data).GetColumn<float[]>("Features")];
        }
        float[] exact = [.. Train(false).SelectMany(row => row)], rounded = [.. Train(true).SelectMany(row => row)];
        CollectionAssert.AreNotEqual(exact, rounded);
        CollectionAssert.AreEqual(rounded, Train(true).SelectMany(row => row).ToArray(), "the seed decides");
        var difference = Math.Sqrt(exact.Zip(rounded, (a, b) => (a - b) * (a - b)).Sum() / exact.Sum(a => a * a));
        Assert.IsLessThan(0.1, difference, "share of the embeddings' norm");
        var own = ImageEncoders.OfModule("mixed precision test", 4, 1, 16, () => TorchSharp.torch.nn.Flatten());
        StringAssert.Contains(Fault(() => images.SimClr(new SimClrTrainer.Options { Encoder = own, MixedPrecision = true })),
            "MixedPrecision must be false for an encoder of your own module");
    }

    [TestMethod]
    public void OnlyMethodsThatCompareViewsLearnTheirStrengths()
    {
        var images = TestDevice.Context(1).SelfSupervised().Images;
        var view = ImageViews.Compose(new RandomResizedCrop(4, 4), new LearnableColorJitter());
        _ = images.BarlowTwins(new BarlowTwinsTrainer.Options { View = view });
        string Refused(Action make) => Assert.ThrowsExactly<ArgumentException>(make).Message;
        StringAssert.Contains(Refused(() => images.MaskedAutoencoder(new MaskedAutoencoderTrainer.Options { View = view })),
            "MaskedAutoencoderTrainer cannot learn the strengths of a view");
        StringAssert.Contains(Refused(() => images.RotationPrediction(new RotationPredictionTrainer.Options { View = view })),
            "RotationPredictionTrainer");
        StringAssert.Contains(Refused(() => _ = new MultiCrop(view)), "MultiCrop cannot learn");
        StringAssert.Contains(Fault(() => _ = new LearnableColorJitter(0.5, 0.4, maximumHue: 0.6)), "maximumHue must be");
        StringAssert.Contains(Fault(() => _ = new LearnableColorJitter(0.5, 0.4, maximumHue: 0.6)), "minimumStrength must be");
        StringAssert.Contains(Fault(() => _ = new LearnableCrop(0, 4, 0.5, 0.4)), "height must be at least 1");
        StringAssert.Contains(Fault(() => _ = new LearnableCrop(4, 4, learningRateScale: 0)), "learningRateScale must be");
    }

    [TestMethod]
    public void OnePixelImagesAndRaggedQueuesAreLearnedFrom()
    {
        var mlContext = TestDevice.Context(1);
        var images = mlContext.SelfSupervised().Images;
        var data = Bytes(mlContext, 10, 2, 1, 1);
        using var pixel = images.SimClr(encoder: ImageEncoders.SmallConvNet(1, 2, 2, 4), batchSize: 4, numberOfEpochs: 1).Fit(data);
        Assert.IsTrue(pixel.Transform(data).GetColumn<float[]>("Features").All(row => row.All(float.IsFinite)));
        data = Bytes(mlContext, 30, 1, 4, 4);
        using var queue = images.MoCo(encoder: Net, batchSize: 7, numberOfEpochs: 2, queueSize: 10).Fit(data);
        using var smaller = images.MoCo(encoder: Net, batchSize: 7, numberOfEpochs: 2, queueSize: 3).Fit(data);
        Assert.IsTrue(smaller.Transform(data).GetColumn<float[]>("Features").All(row => row.All(float.IsFinite)));
    }

    [TestMethod]
    public void RowsWithGapsAreLeftOutAndEmbeddedAllTheSame()
    {
        var mlContext = TestDevice.Context(1);
        var random = new Random(1);
        var rows = Enumerable.Range(0, 20).Select(i => new SingleRow
        {
            Image = [.. Enumerable.Range(0, 16).Select(p => i % 5 == 0 && p == 3 ? float.NaN : random.NextSingle())],
        }).ToList();
        var lines = new List<string>();
        mlContext.Log += (_, e) => { lock (lines) lines.Add(e.Message); };
        var data = mlContext.Data.LoadFromEnumerable(rows);
        var images = mlContext.SelfSupervised().Images;
        using var encoder = images.SimClr(new SimClrTrainer.Options { Encoder = Net, BatchSize = 4, NumberOfEpochs = 1, PixelMaximum = 1 })
            .Fit(data);
        Assert.IsTrue(lines.Any(line => line.Contains("4 rows without image left out", StringComparison.Ordinal)),
            string.Join('\n', lines));
        Assert.IsTrue(encoder.Transform(data).GetColumn<float[]>("Features").All(row => row.All(float.IsFinite)));
        var none = mlContext.Data.LoadFromEnumerable(rows.Where((_, i) => i % 5 == 0).ToList());
        var fault = Assert.ThrowsExactly<InvalidOperationException>(() => images.SimClr(encoder: Net).Fit(none));
        StringAssert.Contains(fault.Message, "pixels that are not numbers");
    }

    [TestMethod]
    public void ADefaultEncoderFitsTheImages()
    {
        var mlContext = TestDevice.Context(1);
        var images = mlContext.SelfSupervised().Images;
        var data = Bytes(mlContext, 6, 2, 9, 15);
        using var whole = images.SimClr(batchSize: 3, numberOfEpochs: 0).Fit(data);
        Assert.AreEqual(256, whole.EmbeddingDimension);
        using var patches = images.MaskedAutoencoder(batchSize: 3, numberOfEpochs: 1).Fit(data);
        Assert.AreEqual(96, patches.EmbeddingDimension);
    }

    [TestMethod]
    public void ADeviceThatIsNotThereIsSaid()
    {
        if (TorchSharp.torch.cuda.is_available())
            Assert.Inconclusive("This machine has CUDA.");
        var mlContext = new MLContext(1) { GpuDeviceId = 0, FallbackToCpu = false };
        Assert.ThrowsExactly<InvalidOperationException>(() => mlContext.SelfSupervised().Images.SimClr(encoder: Net, numberOfEpochs: 1)
            .Fit(Bytes(mlContext, 8, 1, 4, 4)));
        mlContext = new MLContext(1) { GpuDeviceId = 0, FallbackToCpu = true };
        using var encoder = mlContext.SelfSupervised().Images.SimClr(encoder: Net, numberOfEpochs: 1, batchSize: 4)
            .Fit(Bytes(mlContext, 8, 1, 4, 4));
        Assert.AreEqual(8, encoder.EmbeddingDimension);
    }

    [TestMethod]
    public void PresetsForSmallImagesAreThePapers()
    {
        var images = TestDevice.Context(1).SelfSupervised().Images;
        var simClr = SimClrTrainer.Options.ForSmallImages();
        Assert.AreEqual((512, 1000, 0.5f, 1e-4), (simClr.BatchSize, simClr.NumberOfEpochs, simClr.Temperature, simClr.WeightDecay));
        var moCo = MoCoTrainer.Options.ForSmallImages();
        Assert.AreEqual((512, 200, 4096, 0.99f, 0.1f, 5e-4),
            (moCo.BatchSize, moCo.NumberOfEpochs, moCo.QueueSize, moCo.Momentum, moCo.Temperature, moCo.WeightDecay));
        var simSiam = SimSiamTrainer.Options.ForSmallImages();
        Assert.AreEqual((512, 800, 2048, 5e-4),
            (simSiam.BatchSize, simSiam.NumberOfEpochs, simSiam.ProjectionDimension, simSiam.WeightDecay));
        var byol = ByolTrainer.Options.ForSmallImages();
        Assert.AreEqual((256, 1000, 4096, 256, 0.99f, 1e-5),
            (byol.BatchSize, byol.NumberOfEpochs, byol.HiddenDimension, byol.ProjectionDimension, byol.Momentum, byol.WeightDecay));
        var dino = DinoTrainer.Options.ForSmallImages();
        Assert.AreEqual((256, 4096, 2048, 0.9995f), (dino.BatchSize, dino.NumberOfPrototypes, dino.HiddenDimension, dino.Momentum));
        var masked = MaskedAutoencoderTrainer.Options.ForSmallImages();
        Assert.AreEqual((256, 2e-4, 0.75f, 512, 8, 16, 0.05),
            (masked.BatchSize, masked.EffectiveLearningRate, masked.MaskRatio, masked.DecoderDimension,
            masked.DecoderLayers, masked.DecoderHeads, masked.WeightDecay));
        // All of them pass the check of options, and each call gives settings of its own.
        _ = (images.SimClr(simClr), images.MoCo(moCo), images.SimSiam(simSiam), images.Byol(byol), images.Dino(dino),
            images.MaskedAutoencoder(masked));
        _ = (images.Dcl(DclTrainer.Options.ForSmallImages()), images.MoCoV3(MoCoV3Trainer.Options.ForSmallImages()),
            images.Nnclr(NnclrTrainer.Options.ForSmallImages()), images.BarlowTwins(BarlowTwinsTrainer.Options.ForSmallImages()),
            images.VicReg(VicRegTrainer.Options.ForSmallImages()), images.Swav(SwavTrainer.Options.ForSmallImages()));
        Assert.AreNotSame(simClr, SimClrTrainer.Options.ForSmallImages());
    }

    private static string Fault(Func<object> make) => Assert.ThrowsExactly<ArgumentOutOfRangeException>(make).Message;

    private sealed class ByteRow
    {
        [VectorType(1)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class SingleRow
    {
        [VectorType(1, 4, 4)]
        public float[] Image { get; set; } = [];
    }
}
