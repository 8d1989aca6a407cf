using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Tests.Views;
using Ssl.Estimators.Training;
using Ssl.MLNet;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>What every method on images reads, refuses and takes where nothing is said.</summary>
[TestClass]
public sealed class ImagePretrainingTrainerTests
{
    private sealed class Row
    {
        [VectorType(1, 8, 8)]
        public byte[] Image { get; set; } = [];

        [VectorType(1, 8, 8)]
        public float[] Numbers { get; set; } = [];

        public string Path { get; set; } = "";
    }

    private readonly MLContext _mlContext = TestDevice.Context(1);

    private IDataView View(float scale = 1) => _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 6).Select(i => new Row
    {
        Image = [.. Enumerable.Range(0, 64).Select(pixel => (byte)(pixel * (i + 1) % 256))],
        Numbers = [.. Enumerable.Range(0, 64).Select(pixel => scale * (pixel * (i + 1) % 101) / 100f)],
    }).ToArray());

    private static IEnumerable<Type> Trainers
        => AllMethods.Methods.Select(method => method.DeclaringType).OfType<Type>().Where(type => type.IsSubclassOf(typeof(ImagePretrainingTrainer)));

    private IEstimator<EncoderTransformer> Make(Type trainer, Action<ImagePretrainingOptions> change)
    {
        var options = (ImagePretrainingOptions)Activator.CreateInstance(trainer.GetNestedType("Options")!)!;
        (options.NumberOfEpochs, options.Seed) = (0, 1);
        change(options);
        try
        {
            return (IEstimator<EncoderTransformer>)trainer.GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic).Single().Invoke([_mlContext, options]);
        }
        catch (TargetInvocationException fault)
        {
            throw fault.InnerException!;
        }
    }

    /// <summary>Patch sizes by hand: of those that divide both sides the one nearest, in ratio, to so many patches along the shorter one.</summary>
    [TestMethod]
    [DataRow(32, 32, 8, 4)]
    [DataRow(28, 28, 8, 4)]
    [DataRow(224, 224, 8, 28)]
    [DataRow(30, 20, 8, 2)]
    [DataRow(12, 18, 8, 2)]
    [DataRow(7, 7, 8, 1)]
    [DataRow(28, 28, 4, 7)]
    [DataRow(36, 24, 4, 6)]
    public void The_default_transformer_has_patches_that_divide_the_image(int height, int width, int perSide, int patch)
        => Assert.AreEqual(patch, ImagePretrainingTrainer.SmallTransformer(new ImageShape(3, height, width), patchesPerSide: perSide).PatchSize);

    /// <summary>Methods on patches take a transformer by themselves and refuse a network that sees images whole; the others take a convolutional one.</summary>
    [TestMethod]
    public void Who_learns_from_patches_needs_an_encoder_of_patches()
    {
        Type[] ofPatches = [typeof(MaskedAutoencoderTrainer), typeof(SimMimTrainer), typeof(ContrastiveMaskedPatchesTrainer)];
        foreach (var trainer in Trainers)
        {
            using var model = Make(trainer, _ => { }).Fit(View());
            var kind = ((ImageRowFormat)model.Model.Format).Factory.Kind;
            Assert.AreEqual(ofPatches.Contains(trainer), model.Model.Network is PatchEncoder, $"{trainer.Name}: {kind}");
            var convolutional = ImageEncoders.SmallConvNet(8, 1, 2, 4);
            if (!ofPatches.Contains(trainer))
            {
                _ = Make(trainer, options => options.Encoder = convolutional);
                continue;
            }
            var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Make(trainer, options => options.Encoder = convolutional));
            StringAssert.Contains(fault.Message, $"Encoder must be one of patches for {trainer.Name}");
        }
    }

    /// <summary>Methods that compare two views of an image can learn how strong these are; for the others there is nothing to learn it by.</summary>
    [TestMethod]
    public void Who_compares_two_views_learns_views()
    {
        foreach (var trainer in Trainers)
        {
            var learns = trainer.GetNestedType("Method", BindingFlags.NonPublic)!.IsSubclassOf(typeof(TwoViewMethod));
            if (learns)
                _ = Make(trainer, options => options.View = new LearnableCrop(8, 8));
            else
                StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Make(trainer, options => options.View = new LearnableCrop(8, 8))).Message, $"{trainer.Name} cannot learn the strengths of a view");
        }
    }

    [TestMethod]
    public void The_embedding_is_as_long_as_that_of_the_encoder()
    {
        int Told(ImageEncoderFactory? encoder) => (int)Reflected.Property(Make(typeof(SimClrTrainer), options => options.Encoder = encoder), typeof(PretrainingTrainer), "EmbeddingDimension")!;
        int Made(ImageEncoderFactory? encoder)
        {
            using var model = Make(typeof(SimClrTrainer), options => options.Encoder = encoder).Fit(View());
            return model.EmbeddingDimension;
        }
        var own = ImageEncoders.SmallConvNet(8, 1, 2, 4);
        Assert.AreEqual((own.EmbeddingDimension, own.EmbeddingDimension), (Told(own), Made(own)));
        Assert.AreEqual(Told(null), Made(null));
        Assert.AreNotEqual(own.EmbeddingDimension, Made(null));
    }

    [TestMethod]
    public void A_column_without_images_is_named()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Make(typeof(SimClrTrainer), options => options.InputColumnName = "Path").Fit(View()));
        StringAssert.Contains(fault.Message, "'Path'");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Make(typeof(SimClrTrainer), options => options.Encoder = ImageEncoders.SmallConvNet(9, 1, 2, 4)).Fit(View()));
        StringAssert.Contains(fault.Message, "'Image'");
    }

    /// <summary>White is 255 of bytes, and of numbers what is stated or what the data show.</summary>
    [TestMethod]
    public void White_is_what_is_stated_or_found()
    {
        float White(string column, float? stated, float scale = 1)
        {
            using var model = Make(typeof(SimClrTrainer), options => (options.InputColumnName, options.PixelMaximum) = (column, stated)).Fit(View(scale));
            return ((ImageRowFormat)model.Model.Format).Maximum;
        }
        Assert.AreEqual(255, White("Image", null));
        Assert.AreEqual(255, White("Image", 255));
        Assert.AreEqual(1, White("Numbers", null));
        Assert.AreEqual(255, White("Numbers", null, scale: 255));
        Assert.AreEqual(2, White("Numbers", 2));
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => White("Image", 1));
        StringAssert.Contains(fault.Message, "PixelMaximum must be 255 for a column of Byte such as 'Image', got 1");
    }

    [TestMethod]
    public void Twenty_images_that_cannot_be_read_are_named_and_the_rest_is_told()
    {
        var folder = Directory.CreateTempSubdirectory("unreadable").FullName;
        try
        {
            var random = new Random(1);
            for (var i = 0; i < 4; i++)
            {
                var pixels = new byte[8 * 8 * 4];
                random.NextBytes(pixels);
                using var image = MLImage.CreateFromPixels(8, 8, MLPixelFormat.Rgba32, pixels);
                image.Save(Path.Combine(folder, $"good{i}.png"));
            }
            var said = new List<string>();
            _mlContext.Log += (_, e) => said.Add(e.RawMessage);
            int Named(int missing, out int rest)
            {
                said.Clear();
                var rows = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 4).Select(i => new Row { Path = $"good{i}.png" })
                    .Concat(Enumerable.Range(0, missing).Select(i => new Row { Path = $"gone{i}.png" })).ToArray());
                var loaded = _mlContext.Transforms.LoadImages("Loaded", folder, "Path").Fit(rows).Transform(rows);
                Make(typeof(SimClrTrainer), options => (options.InputColumnName, options.Encoder, options.SkipUnreadableImages) = ("Loaded", ImageEncoders.SmallConvNet(8, 3, 2, 4), true))
                    .Fit(loaded).Dispose();
                rest = said.Count(line => line == "Further images cannot be read; they are left out, too.");
                return said.Count(line => line.Contains("gone", StringComparison.Ordinal) && line.EndsWith(" It is left out.", StringComparison.Ordinal));
            }
            Assert.AreEqual(2, Named(2, out var rest));
            Assert.AreEqual(0, rest);
            Assert.AreEqual(20, Named(20, out rest));
            Assert.AreEqual(0, rest);
            Assert.AreEqual(20, Named(24, out rest));
            Assert.AreEqual(1, rest);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void Quarter_turns_need_square_images()
    {
        using var streams = new RandomStreams(1);
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new RotationPredictionTrainer.Method(
            new ResNetEncoderFactory(new ImageShape(1, 8, 12), 18, 4, ImageStem.Small).Create(streams), streams, new()));
        StringAssert.Contains(fault.Message, "Quarter turns need square images");
    }

    /// <summary>Given crops are taken instead of those that a method makes of its view.</summary>
    [TestMethod]
    public void Crops_of_the_options_are_taken()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var factory = ImageEncoders.SmallConvNet(8, 1, 2, 4);
        var crops = new MultiCrop(new Unchanged());
        PretrainingMethod[] methods =
        [
            new DinoTrainer.Method(factory.Create(streams), factory.Create(streams), streams, new() { Crops = crops }),
            new LeJepaTrainer.Method(factory.Create(streams), streams, new() { Crops = crops }),
            new SwavTrainer.Method(factory.Create(streams), streams, new() { Crops = crops }),
        ];
        foreach (var method in methods)
        {
            Assert.AreSame(crops, Reflected.Field(method, "_crops"), method.GetType().DeclaringType!.Name);
            method.Dispose();
        }
    }

    /// <summary>BEiT's start, which SimMIM takes over: a mask token near 0 that is not 0.</summary>
    [TestMethod]
    public void Mask_tokens_start_small_and_different()
    {
        using var streams = new RandomStreams(1);
        using var method = new SimMimTrainer.Method(ImageEncoders.VisionTransformer(8, 2, 1, numberOfLayers: 1, dimension: 96, numberOfHeads: 2).Create(streams), streams, new());
        var values = method.state_dict()["mask_token"].data<float>().ToArray();
        Assert.AreEqual(0.02, Math.Sqrt(values.Average(value => value * value)), 0.005);
    }

    /// <summary>SimSiam, 2021 (arXiv:2011.10566), appendix D.</summary>
    [TestMethod]
    public void The_papers_settings_of_sim_siam()
    {
        var options = SimSiamTrainer.Options.ForSmallImages();
        Assert.AreEqual((512, 800, 2048, 1.0, true), (options.BatchSize, options.NumberOfEpochs, options.ProjectionDimension, options.PredictorLearningRateMultiplier, options.ConstantPredictorLearningRate));
        using var streams = new RandomStreams(1);
        using var method = new SimSiamTrainer.Method(ImageEncoders.SmallConvNet(8, 1, 2, 4).Create(streams), streams, new() { ProjectionDimension = 8 });
        Assert.IsTrue(method.state_dict().Keys.Any(name => name.StartsWith("projection.", StringComparison.Ordinal) && name.Contains(".2.", StringComparison.Ordinal) && name.EndsWith("running_mean", StringComparison.Ordinal))
            , $"the projection ends in a batch norm: {string.Join(' ', method.state_dict().Keys)}");
    }
}
