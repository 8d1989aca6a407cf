using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using Ssl.MLNet;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Trainings that start from weights that exist: their learning rate, blocks that stay as they are, rates that fall from block to block.</summary>
[TestClass]
public sealed class AdaptingTests
{
    private static readonly MLContext s_mlContext = TestDevice.Context(1);
    private static readonly SelfSupervisedCatalog s_ssl = s_mlContext.SelfSupervised();

    private static EncoderTransformer s_text = null!, s_image = null!;

    [ClassInitialize]
    public static void Make(TestContext context)
    {
        s_text = s_ssl.Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Transformer(numberOfLayers: 3, dimension: 8, numberOfHeads: 2), NumberOfEpochs = 0, MinimumTokenCount = 1,
        }).Fit(Texts());
        s_image = s_ssl.Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = ImageEncoders.SmallConvNet(imageSize: 8, channels: 1, numberOfStages: 2, width: 4), NumberOfEpochs = 0,
        }).Fit(Images());
    }

    [ClassCleanup]
    public static void Free()
    {
        s_text.Dispose();
        s_image.Dispose();
    }

    [TestMethod]
    public void WeightsThatExistHaveALearningRateOfTheirOwnUnlessOneIsStated()
    {
        Assert.AreEqual(1e-3, new SimCseTrainer.Options().EffectiveLearningRate);
        Assert.AreEqual(5e-3, new PairedContrastiveTrainer.Options { Encoder = TextEncoders.Bag() }.EffectiveLearningRate);
        Assert.AreEqual(2e-3, new SimClrTrainer.Options().EffectiveLearningRate);
        foreach (var options in new PretrainingOptions[]
        {
            new SimCseTrainer.Options { Encoder = s_text }, new PairedContrastiveTrainer.Options { Encoder = s_text },
            new MaskedLanguageModelTrainer.Options { Encoder = s_text }, new ContrastiveMaskedTrainer.Options { Encoder = s_text },
            new SimClrTrainer.Options { Encoder = s_image }, new ByolTrainer.Options { Encoder = s_image },
        })
        {
            Assert.AreEqual(5e-5, options.EffectiveLearningRate, options.GetType().FullName);
            options.LearningRate = 1e-3;
            Assert.AreEqual(1e-3, options.EffectiveLearningRate, options.GetType().FullName);
        }
    }

    [TestMethod]
    public void ThatRateIsTheOneTrainedWithAndToldInTheLog()
    {
        var messages = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => messages.Add(e.Message);
        var text = mlContext.SelfSupervised().Text;
        // One step, in the middle of the cosine: half the peak.
        Assert.AreEqual(2.5e-5, Rate(text.SimCse(Adapting())), 1e-12);
        Assert.AreEqual(1, messages.Count(message => message.Contains("the encoder starts from weights that exist: learning rate 5E-05", StringComparison.Ordinal)));
        messages.Clear();
        Assert.AreEqual(1e-4, Rate(text.SimCse(Adapting(options => options.LearningRate = 2e-4))), 1e-12);
        Assert.AreEqual(5e-4, Rate(text.SimCse(Adapting(options => options.Encoder = TextEncoders.Transformer(1, 8, 2)))), 1e-12);
        Assert.IsFalse(messages.Any(message => message.Contains("starts from weights", StringComparison.Ordinal)));

        static double Rate(SimCseTrainer trainer)
        {
            using var encoder = trainer.Fit(Texts());
            return encoder.TrainingHistory!.Steps.Single().LearningRate;
        }
    }

    [TestMethod]
    public void ACheckpointIsOfTheRateThatWasUsed()
    {
        var folder = Directory.CreateTempSubdirectory("ssl-adapting-").FullName;
        try
        {
            Fit(null);
            Fit(5e-5);      // the same run
            var fault = Assert.ThrowsExactly<InvalidOperationException>(() => Fit(1e-4));
            StringAssert.Contains(fault.Message, "LearningRate 5E-05, this one has 0.0001");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Fit(double? rate)
        {
            using var encoder = s_ssl.Text.SimCse(Adapting(options =>
                (options.LearningRate, options.CheckpointPath, options.Seed) = (rate, Path.Combine(folder, "checkpoint"), 1))).Fit(Texts());
        }
    }

    [TestMethod]
    public void FrozenBlocksDoNotMove()
    {
        using var text = s_ssl.Text.SimCse(Adapting(options => (options.FrozenBlocks, options.LearningRate) = (2, 1e-2))).Fit(Texts());
        AssertMoved(s_text, text, name => name.StartsWith("encoder.layer.1.", StringComparison.Ordinal) || name.StartsWith("encoder.layer.2.", StringComparison.Ordinal)
            || name.StartsWith("encoder.layer_norm", StringComparison.Ordinal));

        // Batch normalization moves its statistics without a gradient, and after rows kept aside were measured it must rest again.
        var first = FirstBlock(s_image);
        using var image = s_ssl.Images.SimClr(new SimClrTrainer.Options
        {
            Encoder = s_image, FrozenBlocks = 1, LearningRate = 1e-2, BatchSize = 4, NumberOfEpochs = 2, ValidationFraction = 0.25, Seed = 1,
        }).Fit(Images());
        AssertMoved(s_image, image, name => !name.StartsWith(first, StringComparison.Ordinal));

        static void AssertMoved(EncoderTransformer before, EncoderTransformer after, Func<string, bool> expected)
        {
            var old = before.Model.GetWeights();
            Assert.IsTrue(old.Keys.Any(expected) && !old.Keys.All(expected));
            foreach (var (name, weights) in after.Model.GetWeights())
                Assert.AreEqual(expected(name), !weights.equal(old[name]).all().item<bool>(), name);
        }
    }

    [TestMethod]
    public void TheRateFallsFromBlockToBlock()
    {
        // AdamW's first step is the learning rate times the gradient's sign: with one step the largest change of a block is its rate.
        using var adapted = s_ssl.Text.SimCse(Adapting(options =>
            (options.LayerwiseLearningRateDecay, options.LearningRate, options.WeightDecay, options.GradientClipNorm) = (0.5, 2e-3, 0, 0))).Fit(Texts());
        var before = s_text.Model.GetWeights();
        var changes = adapted.Model.GetWeights().GroupBy(entry => entry.Key.StartsWith("embeddings.", StringComparison.Ordinal) ? "embeddings" : entry.Key[..15],
            entry => (entry.Value - before[entry.Key]).abs().max().item<float>()).ToDictionary(group => group.Key, group => group.Max());
        Assert.AreEqual(1e-3 * 0.5, changes["encoder.layer.2"], 2e-6);
        Assert.AreEqual(1e-3 * 0.25, changes["encoder.layer.1"], 2e-6);
        Assert.AreEqual(1e-3 * 0.125, changes["encoder.layer.0"], 2e-6);
        Assert.AreEqual(1e-3 * 0.0625, changes["embeddings"], 2e-6);
    }

    [TestMethod]
    public void EveryMethodTunesItsEncoderAndNothingElse()
    {
        using var streams = new RandomStreams(1);
        foreach (var type in AllMethods.Methods.Where(type => !type.IsSubclassOf(typeof(FineTuningMethod))))
        {
            foreach (var (name, method) in AllMethods.Make(type, streams).Take(1))
            {
                using (method)
                {
                    var count = new EncoderBlocks(method.Encoder).Count;
                    method.Tune(new EncoderTuning(TrainableBlocks: 1, LayerDecay: 0.5));
                    var encoder = method.Encoder.named_parameters().Select(entry => $"encoder.{entry.name}").ToHashSet();
                    Assert.IsTrue(method.named_parameters().Count(entry => encoder.Contains(entry.name)) == encoder.Count, name);
                    foreach (var (parameter, _) in method.named_parameters())
                        Assert.AreEqual(encoder.Contains(parameter), method.RateOf(parameter).Scale <= 0.5, $"{name}: {parameter}");
                    Assert.AreEqual(count > 1, method.Encoder.parameters().Any(parameter => !parameter.requires_grad), name);
                }
            }
        }
    }

    [TestMethod]
    public void MoreFrozenBlocksThanThereAreAreRefused()
    {
        var fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_ssl.Text.SimCse(Adapting(options => options.FrozenBlocks = 4)).Fit(Texts()));
        StringAssert.Contains(fault.Message, "FrozenBlocks must be less than 4, the blocks of the encoder (embeddings, encoder.layer.0, encoder.layer.1, encoder.layer.2), got 4");
        fault = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => s_ssl.Text.SimCse(Adapting(options => (options.FrozenBlocks, options.LayerwiseLearningRateDecay) = (-1, 0))));
        StringAssert.Contains(fault.Message, "FrozenBlocks must be at least 0");
        StringAssert.Contains(fault.Message, "LayerwiseLearningRateDecay must be greater than 0 and at most 1");
    }

    private static SimCseTrainer.Options Adapting(Action<SimCseTrainer.Options>? change = null)
    {
        var options = new SimCseTrainer.Options { Encoder = s_text, BatchSize = 8, NumberOfEpochs = 1, WarmupFraction = 0, MinimumTokenCount = 1 };
        change?.Invoke(options);
        return options;
    }

    private static IDataView Texts() => s_mlContext.Data.LoadFromEnumerable("the parcel is late,a bill was paid,rain falls,the train left,a cat sleeps,bread is fresh,snow melts,he reads"
        .Split(',').Select(text => new TextRow { Text = text }));

    private static IDataView Images()
    {
        var random = new Random(1);
        return s_mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 16).Select(_ =>
        {
            var image = new byte[64];
            random.NextBytes(image);
            return new Picture { Image = image };
        }).ToArray());
    }

    private static string FirstBlock(EncoderTransformer encoder)
    {
        using var streams = new RandomStreams(1);
        using var network = encoder.Model.CreateTrainable(streams);
        return network.Blocks[0] + ".";
    }

    private sealed class TextRow
    {
        public string Text { get; set; } = "";
    }

    private sealed class Picture
    {
        [VectorType(1, 8, 8)]
        public byte[] Image { get; set; } = [];
    }
}
