using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Tests.Images;

/// <summary>Images from files, through <c>LoadImages</c>: any size and colors, into training, embedding and saved chains.</summary>
[TestClass]
public sealed class LoadedImageTests
{
    private static readonly ImageEncoderFactory Net = ImageEncoders.SmallConvNet(imageSize: 8, channels: 3, numberOfStages: 2, width: 4);

    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-images").FullName;
    private readonly List<string> _log = [];

    [TestCleanup]
    public void Clean() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void ImagesOfAnySizeAreLearnedFromAndEmbedded()
    {
        var mlContext = Context();
        var files = Files(24);
        var chain = mlContext.Transforms.LoadImages("Image", _folder, "Path").Append(mlContext.SelfSupervised().Images.SimClr(Options()));
        var model = chain.Fit(files);
        var embeddings = Embeddings(model.Transform(files));
        Assert.HasCount(24, embeddings);
        Assert.IsTrue(embeddings.All(row => row.Length == Net.EmbeddingDimension && row.All(float.IsFinite)));
        Assert.IsGreaterThan(1, embeddings.Select(row => row[0]).Distinct().Count());
        CollectionAssert.AreEqual(Paths(files), Paths(model.Transform(files)));

        // One at a time, and fewer or more columns asked for: the same numbers.
        var engine = mlContext.Model.CreatePredictionEngine<FileRow, Embedded>(model);
        AssertClose([embeddings[3]], [engine.Predict(new FileRow { Path = Paths(files)[3] }).Features]);

        var path = Path.Combine(_folder, "chain.zip");
        mlContext.Model.Save(model, files.Schema, path);
        var loaded = Context().Model.Load(path, out _);
        AssertClose(embeddings, Embeddings(loaded.Transform(files)));
    }

    [TestMethod]
    public void EveryImageTrainerTakesThem()
    {
        var mlContext = Context();
        var loaded = Load(mlContext, Files(8));
        var images = mlContext.SelfSupervised().Images;
        var patches = ImageEncoders.VisionTransformer(8, 4, 3, numberOfLayers: 1, dimension: 16, numberOfHeads: 2);
        IEstimator<EncoderTransformer>[] trainers =
        [
            images.Dcl(Small<DclTrainer.Options>(Net)), images.MoCo(Small<MoCoTrainer.Options>(Net)), images.MoCoV3(Small<MoCoV3Trainer.Options>(Net)),
            images.Byol(Small<ByolTrainer.Options>(Net)), images.SimSiam(Small<SimSiamTrainer.Options>(Net)),
            images.BarlowTwins(Small<BarlowTwinsTrainer.Options>(Net)), images.VicReg(Small<VicRegTrainer.Options>(Net)),
            images.Nnclr(Small<NnclrTrainer.Options>(Net)), images.Swav(Small<SwavTrainer.Options>(Net)), images.Dino(Small<DinoTrainer.Options>(Net)),
            images.RotationPrediction(Small<RotationPredictionTrainer.Options>(Net)), images.RelativePosition(Small<RelativePositionTrainer.Options>(Net)),
            images.Jigsaw(Small<JigsawTrainer.Options>(Net)), images.PatchPairs(Small<PatchPairsTrainer.Options>(Net)), images.MaskedAutoencoder(Small<MaskedAutoencoderTrainer.Options>(patches)),
            images.SimMim(Small<SimMimTrainer.Options>(patches)), images.ContrastiveMaskedPatches(Small<ContrastiveMaskedPatchesTrainer.Options>(patches)),
        ];
        foreach (var trainer in trainers)
        {
            using var encoder = trainer.Fit(loaded);
            Assert.IsTrue(Embeddings(encoder.Transform(loaded)).All(row => row.All(float.IsFinite)), trainer.GetType().Name);
        }
    }

    [TestMethod]
    public void FilesAndPixelsOfTheSameImagesAreTheSame()
    {
        var mlContext = Context();
        var random = new Random(3);
        var rows = Enumerable.Range(0, 12).Select(i =>
        {
            var row = new PixelRow { Image = new byte[3 * 64], Path = $"{i}.png" };
            random.NextBytes(row.Image);
            var rgba = new byte[256];
            for (var p = 0; p < 64; p++)
                (rgba[4 * p], rgba[4 * p + 1], rgba[4 * p + 2], rgba[4 * p + 3]) = (row.Image[p], row.Image[64 + p], row.Image[128 + p],
                    255);
            Save(rgba, 8, 8, row.Path);
            return row;
        }).ToArray();
        var pixels = mlContext.Data.LoadFromEnumerable(rows);
        var files = Load(mlContext, mlContext.Data.LoadFromEnumerable(rows.Select(row => new FileRow { Path = row.Path }).ToArray()));
        using var ofPixels = mlContext.SelfSupervised().Images.SimClr(Options()).Fit(pixels);
        using var ofFiles = Context().SelfSupervised().Images.SimClr(Options()).Fit(files);
        AssertClose(Embeddings(ofPixels.Transform(pixels)), Embeddings(ofFiles.Transform(files)));
        AssertClose(Embeddings(ofPixels.Transform(files)), Embeddings(ofFiles.Transform(pixels)));
    }

    [TestMethod]
    public void ImagesBeyondTheCacheAreStreamed()
    {
        var mlContext = Context();
        var options = Options();
        (options.CacheLimit, options.ShuffleBufferSize) = (0, 8);
        using var encoder = mlContext.SelfSupervised().Images.SimClr(options).Fit(Load(mlContext, Files(24)));
        Assert.IsTrue(_log.Any(line => line.Contains("streamed every epoch", StringComparison.Ordinal)), string.Join('\n', _log));
    }

    [TestMethod]
    public void DamagedAndMissingFilesAreNamedOrLeftOut()
    {
        var mlContext = Context();
        var files = Files(12);
        File.WriteAllBytes(Path.Combine(_folder, "5.png"), [.. File.ReadAllBytes(Path.Combine(_folder, "5.png")).Take(40)]);
        File.Delete(Path.Combine(_folder, "7.png"));
        var loaded = Load(mlContext, files);
        var fault = Assert.ThrowsExactly<UnreadableImage>(() => Unwrap(() => mlContext.SelfSupervised().Images.SimClr(Options())
            .Fit(loaded)));
        StringAssert.Contains(fault.Message, "The image of column 'Image' in row 5 (Path '5.png') cannot be read");

        var options = Options();
        options.SkipUnreadableImages = true;
        using var encoder = mlContext.SelfSupervised().Images.SimClr(options).Fit(loaded);
        Assert.IsTrue(_log.Any(line => line.Contains("(Path '5.png') cannot be read", StringComparison.Ordinal)), string.Join('\n', _log));
        Assert.IsTrue(_log.Any(line => line.Contains("(Path '7.png') cannot be read", StringComparison.Ordinal)));
        Assert.IsTrue(_log.Any(line => line.Contains("2 rows without image left out", StringComparison.Ordinal)));
        fault = Assert.ThrowsExactly<UnreadableImage>(() => Unwrap(() => Embeddings(encoder.Transform(loaded))));
        StringAssert.Contains(fault.Message, "'5.png'");
    }

    [TestMethod]
    public void RowsWithoutAPathAreLeftOutAndEmbeddedAllTheSame()
    {
        var mlContext = Context();
        var paths = Paths(Files(9));
        var loaded = Load(mlContext,
            mlContext.Data.LoadFromEnumerable(paths.Append("").Select(path => new FileRow { Path = path }).ToArray()));
        using var encoder = mlContext.SelfSupervised().Images.SimClr(Options()).Fit(loaded);
        Assert.IsTrue(_log.Any(line => line.Contains("1 rows without image left out", StringComparison.Ordinal)
            || line.Contains("1 row without image left out", StringComparison.Ordinal)), string.Join('\n', _log));
        var embeddings = Embeddings(encoder.Transform(loaded));
        Assert.HasCount(10, embeddings);
        Assert.IsTrue(embeddings[9].All(float.IsFinite));
    }

    [TestMethod]
    public void FilesThatAreCutOffAreUnreadable()
    {
        var mlContext = Context();
        Files(12);
        var random = new Random(2);
        var noise = new byte[32 * 32 * 4];
        random.NextBytes(noise);
        for (var p = 3; p < noise.Length; p += 4)
            noise[p] = 255;
        var rows = Enumerable.Range(0, 12).Select(i => new FileRow { Path = $"cut{i}.{(i % 3) switch { 0 => "jpg", 1 => "png", _ => "webp" }}" }).ToArray();
        foreach (var (i, row) in rows.Index())
        {
            Save(noise, 32, 32, row.Path);
            var path = Path.Combine(_folder, row.Path);
            if (i is 3 or 7 or 11)
                File.WriteAllBytes(path, [.. File.ReadAllBytes(path).Take((int)(new FileInfo(path).Length / 2))]);
        }
        var files = mlContext.Data.LoadFromEnumerable(rows);
        var loaded = Load(mlContext, files);
        var fault = Assert.ThrowsExactly<UnreadableImage>(() => Unwrap(() => mlContext.SelfSupervised().Images.SimClr(Options()).Fit(loaded)));
        StringAssert.Contains(fault.Message, "in row 3 (Path 'cut3.jpg') cannot be read: the file ends before the image does. Repair or remove the file.");
        var options = Options();
        options.SkipUnreadableImages = true;
        using var encoder = mlContext.SelfSupervised().Images.SimClr(options).Fit(loaded);
        Assert.IsTrue(_log.Any(line => line.Contains("3 rows without image left out", StringComparison.Ordinal)), string.Join('\n', _log));
        fault = Assert.ThrowsExactly<UnreadableImage>(() => Unwrap(() => Embeddings(encoder.Transform(loaded))));
        StringAssert.Contains(fault.Message, "cut3.jpg");
        // Also behind ML.NET's own stages; and of an image made in memory it is said.
        fault = Assert.ThrowsExactly<UnreadableImage>(() => Unwrap(() => Embeddings(encoder.Transform(
            mlContext.Transforms.ResizeImages("Image", 16, 16).Fit(loaded).Transform(loaded)))));
        StringAssert.Contains(fault.Message, "cut3.jpg");
        _log.Clear();
        var memory = mlContext.Data.LoadFromEnumerable(rows.Where((_, i) => i % 3 < 2).Select(row => new MemoryRow
            { Image = MLImage.CreateFromStream(new MemoryStream(File.ReadAllBytes(Path.Combine(_folder, row.Path)))) }).ToArray());
        Assert.HasCount(8, Embeddings(encoder.Transform(memory)));
        Assert.IsTrue(_log.Any(line => line.Contains("2 of 8 rows have an image in 'Image' that ends in rows without any content", StringComparison.Ordinal)),
            string.Join('\n', _log));
    }

    [TestMethod]
    public void AnEncoderIsNeededWhereSizesDifferAndMustHaveChannelsThatImagesGive()
    {
        var mlContext = Context();
        var loaded = Load(mlContext, Files(4));
        var images = mlContext.SelfSupervised().Images;
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => images.SimClr().Fit(loaded));
        StringAssert.Contains(fault.Message, "expected images of one size where Encoder is not set, got Image. Set Encoder");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => images.SimClr(encoder: ImageEncoders.SmallConvNet(8, 2, 2, 4))
            .Fit(loaded));
        StringAssert.Contains(fault.Message, "Images give 1 channel (gray), 3 (red, green, blue) or 4 (and alpha)");
        foreach (var channels in new[] { 1, 4 })
        {
            using var encoder = images.SimClr(encoder: ImageEncoders.SmallConvNet(8, channels, 2, 4), batchSize: 4, numberOfEpochs: 1)
                .Fit(loaded);
            Assert.IsTrue(Embeddings(encoder.Transform(loaded)).All(row => row.All(float.IsFinite)));
        }
    }

    [TestMethod]
    public void FineTunedModelsOfThemAreSaved()
    {
        var mlContext = Context();
        var paths = Paths(Files(16));
        var rows = mlContext.Data.LoadFromEnumerable(paths.Select((path, i) => new FileRow { Path = path,
            Label = i % 2 == 0 ? "even" : "odd" }).ToArray());
        var ssl = mlContext.SelfSupervised();
        var model = mlContext.Transforms.Conversion.MapValueToKey("Label")
            .Append(mlContext.Transforms.LoadImages("Image", _folder, "Path"))
            .Append(ssl.Images.SimClr(Options()))
            .Append(ssl.FineTune.MulticlassClassification("Label", numberOfEpochs: 2)).Fit(rows);
        var path = Path.Combine(_folder, "tuned.zip");
        mlContext.Model.Save(model, rows.Schema, path);
        var loaded = Context().Model.Load(path, out _);
        AssertClose([.. model.Transform(rows).GetColumn<float[]>("Score")], [.. loaded.Transform(rows).GetColumn<float[]>("Score")]);
    }

    private MLContext Context()
    {
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) =>
        {
            lock (_log)
                _log.Add(e.Message);
        };
        return mlContext;
    }

    private static SimClrTrainer.Options Options() => Small<SimClrTrainer.Options>(Net);

    private static T Small<T>(ImageEncoderFactory encoder) where T : ImagePretrainingOptions, new()
        => new() { Encoder = encoder, BatchSize = 4, NumberOfEpochs = 1, Seed = 1 };

    // PNG files of sizes from 1 x 1 on, some gray, some with transparent pixels.
    private IDataView Files(int count)
    {
        var random = new Random(1);
        return TestDevice.Context().Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i =>
        {
            var (width, height) = i == 0 ? (1, 1) : (random.Next(1, 40), random.Next(1, 40));
            var rgba = new byte[width * height * 4];
            random.NextBytes(rgba);
            for (var p = 0; p < rgba.Length; p += 4)
            {
                rgba[p + 3] = i % 4 == 1 && p % 12 == 0 ? (byte)0 : (byte)255;
                if (i % 3 == 0)
                    rgba[p + 1] = rgba[p + 2] = rgba[p];
                if (rgba[p + 3] == 0)
                    rgba[p] = rgba[p + 1] = rgba[p + 2] = 0;
            }
            Save(rgba, width, height, $"{i}.png");
            return new FileRow { Path = $"{i}.png" };
        }).ToArray());
    }

    private void Save(byte[] rgba, int width, int height, string name)
    {
        using var image = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, rgba);
        image.Save(Path.Combine(_folder, name));
    }

    private IDataView Load(MLContext mlContext, IDataView files)
        => mlContext.Transforms.LoadImages("Image", _folder, "Path").Fit(files).Transform(files);

    private static string[] Paths(IDataView view) => [.. view.GetColumn<string>("Path")];

    private static float[][] Embeddings(IDataView view) => [.. view.GetColumn<float[]>("Features")];

    // Reading happens on a thread of its own, whose exception may come wrapped.
    private static void Unwrap(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            for (var inner = e; inner is not null; inner = inner.InnerException)
            {
                if (inner is InvalidOperationException && inner.Message.StartsWith("The image of column", StringComparison.Ordinal))
                    throw new UnreadableImage(inner.Message);
            }
            throw;
        }
    }

    private static void AssertClose(float[][] expected, float[][] actual)
    {
        Assert.HasCount(expected.Length, actual);
        for (var i = 0; i < expected.Length; i++)
        {
            for (var d = 0; d < expected[i].Length; d++)
                Assert.AreEqual(expected[i][d], actual[i][d], 1e-5f, $"row {i}, number {d}");
        }
    }

    private sealed class UnreadableImage(string message) : Exception(message);

    private sealed class FileRow
    {
        public string Path { get; set; } = "";

        public string Label { get; set; } = "";
    }

    private sealed class MemoryRow
    {
        public MLImage Image { get; set; } = null!;
    }

    private sealed class PixelRow
    {
        public string Path { get; set; } = "";

        [VectorType(3, 8, 8)]
        public byte[] Image { get; set; } = [];
    }

    private sealed class Embedded
    {
        public float[] Features { get; set; } = [];
    }
}
