using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
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
        Assert.IsGreaterThanOrEqualTo(31, Methods.Count());
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
            var trainer = trainerType.GetConstructors(BindingFlags.Instance | BindingFlags.NonPublic).Single()
                .Invoke([new MLContext(1), options]);
            using var method = Create(trainer, streams);
            Assert.AreEqual(type, method.GetType());
            // The trainer's own copy of the options, which nothing that happens to the original later reaches.
            var settings = Value(trainer, typeof(PretrainingTrainer), "Settings");
            Assert.AreNotSame(options, settings);
            Assert.AreSame(settings, Field(method, "_options"), trainerType.Name);
            if (options is ContrastiveTextOptions)
                Assert.AreEqual(0.45, ((TokenDeletion)Field(method, "_view")!).Rate, 1e-6, trainerType.Name);
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
            MaskedPatchesTrainer => [TimeSeriesEncoders.PatchTransformer(4, 1, 8, 2).Create(new SeriesLayout(2, null), streams), streams],
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
        var tokenizer = WordPieceTokenizer.Train(["one two three", "three four five"]);
        return [TextEncoders.Transformer(1, 8, 2, maximumTokens: 8).Create(tokenizer.Vocabulary, streams), tokenizer, streams];
    }

    private static object? Field(object owner, string name)
        => owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(owner);

    private static object? Value(object owner, Type declaredBy, string name)
        => declaredBy.GetProperty(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(owner);
}
