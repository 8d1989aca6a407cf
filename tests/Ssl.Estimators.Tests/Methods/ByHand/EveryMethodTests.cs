using System.Reflection;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>What holds for all pretraining methods: a loss by hand, and the settings of their trainer.</summary>
[TestClass]
public sealed class EveryMethodTests
{
    private static IEnumerable<Type> Methods
        => AllMethods.Methods.Where(method => method.DeclaringType is { } trainer && trainer.IsSubclassOf(typeof(PretrainingTrainer)));

    [TestMethod]
    public void EveryMethodHasALossByHand()
    {
        var tested = typeof(EveryMethodTests).Assembly.GetTypes().SelectMany(type => type.GetMethods())
            .SelectMany(test => test.GetCustomAttributes<ByHandAttribute>()).Select(attribute => attribute.Method).ToHashSet();
        var untested = Methods.Where(method => !tested.Contains(method)).Select(method => method.DeclaringType!.Name).ToArray();
        Assert.IsEmpty(untested, $"Compute the losses of these by hand, too: {string.Join(", ", untested)}.");
        Assert.IsGreaterThanOrEqualTo(37, Methods.Count());
    }

    // Options that a trainer drops on the way to its method would leave every other test of the method green.
    [TestMethod]
    public void EveryTrainerHandsItsSettingsToItsMethod()
    {
        foreach (var type in Methods)
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            var trainerType = type.DeclaringType!;
            var options = (PretrainingOptions)Activator.CreateInstance(trainerType.GetNestedType("Options")!)!;
            if (options is TabularPretrainingOptions table)
                table.InputColumnNames = ["a"];
            if (options is ContrastiveTextOptions { } text)
                text.TokenDeletion = 0.45f;
            if (options is TsdaeTrainer.Options { } denoising)
                denoising.TokenDeletion = 0.45f;
            var trainer = trainerType.GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic).Single()
                .Invoke([TestDevice.Context(1), options]);
            using var method = Create(trainer, streams);
            Assert.AreEqual(type, method.GetType());
            // The trainer's own copy of the options, which nothing that happens to the original later reaches.
            var settings = Reflected.Property(trainer, typeof(PretrainingTrainer), "Settings");
            Assert.AreNotSame(options, settings);
            Assert.AreSame(settings, Reflected.Field(method, "_options"), trainerType.Name);
            if (options is ContrastiveTextOptions or TsdaeTrainer.Options)
                Assert.AreEqual(0.45, ((TokenDeletion)Reflected.Field(method, "_view")!).Rate, 1e-6, trainerType.Name);
        }
    }

    // The losses by hand read what a head gives, whatever its size: here are the sizes.
    [TestMethod]
    public void HeadsAreAsLargeAsTheOptionsSay()
    {
        using var scope = NewDisposeScope();
        using var s = new RandomStreams(1);
        Has(new SimClrTrainer.Method(Net(), s, new() { ProjectionDimension = 3 }), ("projection.layers.1.weight", [3, 5]));
        Has(new DclTrainer.Method(Net(), s, new() { ProjectionDimension = 3 }), ("projection.layers.1.weight", [3, 5]));
        Has(new MoCoTrainer.Method(Net(), Net(), s, new() { ProjectionDimension = 3, QueueSize = 9 }),
            ("projection.layers.1.weight", [3, 5]), ("key_projection.layers.1.weight", [3, 5]), ("queue.vectors", [9, 3]));
        Has(new MoCoV3Trainer.Method(Net(), Net(), s, new() { ProjectionDimension = 3, HiddenDimension = 7 }),
            ("projection.layers.0.weight", [7, 5]), ("projection.layers.1.weight", [3, 7]), ("prediction.layers.0.weight", [7, 3]),
            ("key_projection.layers.1.weight", [3, 7]));
        Has(new ByolTrainer.Method(Net(), Net(), s, new() { ProjectionDimension = 3, HiddenDimension = 7 }),
            ("projection.layers.0.weight", [7, 5]), ("projection.layers.1.weight", [3, 7]), ("prediction.layers.0.weight", [7, 3]),
            ("target_projection.layers.1.weight", [3, 7]));
        Has(new SimSiamTrainer.Method(Net(), s, new() { ProjectionDimension = 12 }),
            ("projection.layers.2.weight", [12, 12]), ("prediction.layers.0.weight", [3, 12]));
        Has(new BarlowTwinsTrainer.Method(Net(), s, new() { ProjectionDimension = 3 }), ("projection.layers.2.weight", [3, 3]));
        Has(new VicRegTrainer.Method(Net(), s, new() { ProjectionDimension = 3 }), ("projection.layers.2.weight", [3, 3]));
        Has(new LeJepaTrainer.Method(Net(), s, new() { ProjectionDimension = 3, HiddenDimension = 7 }),
            ("projection.layers.0.weight", [7, 5]), ("projection.layers.2.weight", [3, 7]));
        Has(new NnclrTrainer.Method(Net(), s, new() { ProjectionDimension = 3, HiddenDimension = 7, SupportSize = 9 }),
            ("projection.layers.0.weight", [7, 5]), ("projection.layers.2.weight", [3, 7]), ("prediction.layers.0.weight", [7, 3]),
            ("support.vectors", [9, 3]));
        Has(new SwavTrainer.Method(Net(), s, new() { ProjectionDimension = 3, NumberOfPrototypes = 6 }),
            ("projection.layers.1.weight", [3, 5]), ("prototypes.weight", [6, 3]));
        Has(new DinoTrainer.Method(Net(), Net(), s, new() { HiddenDimension = 7, NumberOfPrototypes = 6 }),
            ("head.mlp.0.weight", [7, 5]), ("head.last_layer.weight", [6, 128]), ("teacher_head.mlp.0.weight", [7, 5]));
        Has(new JigsawTrainer.Method(Net(), s, new() { NumberOfPermutations = 4 }), ("prediction.output.weight", [4, 5]));
        var patches = (PatchEncoder)Images(s)[0];
        Has(new MaskedAutoencoderTrainer.Method(patches, s, new() { DecoderDimension = 12, DecoderLayers = 2, DecoderHeads = 3 }),
            ("decoder.embed.weight", [12, 8]), ("decoder.blocks.1.norm1.weight", [12]));
        Has(new ContrastiveMaskedPatchesTrainer.Method(patches, s, new() { ProjectionDimension = 3 }),
            ("projection.layers.1.weight", [3, 8]));

        static TinyImageEncoder Net() => new();

        static void Has(PretrainingMethod method, params (string Name, long[] Shape)[] weights)
        {
            var state = method.state_dict();
            foreach (var (name, shape) in weights)
                CollectionAssert.AreEqual(shape, state[name].shape, $"{method.GetName()}: {name}");
        }
    }

    private static PretrainingMethod Create(object trainer, RandomStreams streams)
    {
        var create = trainer.GetType().GetMethod("CreateMethod", BindingFlags.Instance | BindingFlags.NonPublic)!;
        object[] arguments = trainer switch
        {
            ImagePretrainingTrainer => Images(streams),
            TextPretrainingTrainer => Text(streams),
            TabularPretrainingTrainer => [new TinyTableEncoder(TableRows.Layout), streams],
            MaskedImageTextTrainer => [AllMethods.Encoders["image-text.fusion"](streams), TinyTextEncoder.Vocabulary, streams],
            ImageTextPretrainingTrainer => [AllMethods.Encoders["image-text.towers"](streams), TinyTextEncoder.Vocabulary, streams],
            ByolATrainer => [TimeSeriesEncoders.SpectrogramConvolution(8, 4).Create(new SeriesLayout(8, null), streams), streams],
            Wav2Vec2Trainer => [AllMethods.Encoders["series.sound"](streams), streams],
            MaskedPatchesTrainer or MaskedAcousticModelTrainer => [TimeSeriesEncoders.PatchTransformer(4, 1, 8, 2).Create(new SeriesLayout(2, null), streams), streams],
            _ => [new TinySeriesEncoder(), streams],
        };
        return (PretrainingMethod)create.Invoke(trainer, arguments)!;
    }

    private static object[] Images(RandomStreams streams)
    {
        var factory = ImageEncoders.VisionTransformer(6, 2, 1, numberOfLayers: 1, dimension: 8, numberOfHeads: 2);
        return [factory.Create(streams), factory, streams];
    }

    private static object[] Text(RandomStreams streams)
    {
        var tokenizer = WordPieceTokenizer.Train(["one two three.", "three four five."]);
        return [TextEncoders.Transformer(1, 8, 2, maximumTokens: 8).Create(tokenizer.Vocabulary, streams), tokenizer, streams];
    }
}
