using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using Ssl.FreshProcess;
using static TorchSharp.torch;

namespace Ssl.Contract.Tests;

/// <summary>What every method of the pack must hold within its training, step by step, where only friends can look.</summary>
[TestClass]
public sealed class TrainingContract
{
    /// <summary>All contracts of this assembly.</summary>
    public static IEnumerable<object[]> Contracts => ContractAccess.Of(typeof(TrainingContract).Assembly).Select(type => (object[])[type]);

    [TestMethod]
    [DynamicData(nameof(Contracts))]
    public void Measuring_rows_kept_aside_leaves_the_training_as_it_was(Type contract)
    {
        var (plainLosses, plain) = Train(contract, measures: false);
        var (losses, measured) = Train(contract, measures: true);
        CollectionAssert.AreEqual(plainLosses, losses, "training losses");
        foreach (var (name, bytes) in plain)
            CollectionAssert.AreEqual(bytes, measured[name], name);
    }

    [TestMethod]
    [DynamicData(nameof(Contracts))]
    public void The_log_tells_the_run_with_the_options_that_are_not_the_defaults(Type type)
    {
        var lines = new List<string>();
        var mlContext = TestDevice.Context(1);
        mlContext.Log += (_, e) => { lock (lines) lines.Add(e.Message); };
        PretrainingOptions? given = null;
        Action<PretrainingOptions> change = o =>
        {
            (o.NumberOfEpochs, o.BatchSize, o.WarmupFraction, o.Seed) = (2, 16, 0.125, 77);
            given = o;
        };
        using var encoder = ContractAccess.Call<EncoderTransformer>(Activator.CreateInstance(type)!, "Fit", mlContext, null, change);
        var name = given!.GetType().DeclaringType!.Name.Replace("Trainer", "");
        var line = lines.Single(text => text.Contains($"{name} on {TorchDevice.Describe(TestDevice.Torch)}, seed 77, 12 steps (2 epochs of 6): ", StringComparison.Ordinal));
        StringAssert.Contains(line, "WarmupFraction 0.125");
        Assert.IsFalse(line.Contains("WeightDecay", StringComparison.Ordinal) || line.Contains("Seed", StringComparison.Ordinal), line);
    }

    [TestMethod]
    [DynamicData(nameof(Contracts))]
    public void Every_option_is_told_where_it_is_set_and_only_there(Type contract)
    {
        var target = Activator.CreateInstance(contract)!;
        PretrainingOptions? given = null;
        Action<PretrainingOptions> change = options => given = options;
        ContractAccess.Call<object>(target, "Create", TestDevice.Context(1), change);
        var type = given!.GetType();
        Assert.AreEqual("", OptionTexts.Changed(Activator.CreateInstance(type)!));
        foreach (var option in OptionRuleAttribute.OptionsOf(type).Where(o => o.Name is not ("Progress" or "CancellationToken")))
        {
            var options = Activator.CreateInstance(type)!;
            option.SetValue(options, Told(option, option.GetValue(options)));
            var text = OptionTexts.Changed(options);
            Assert.IsTrue(text.StartsWith($"{option.Name} ", StringComparison.Ordinal)
                || text.StartsWith($"{option.Name}.", StringComparison.Ordinal), $"{option.Name}: {text}");
            // Of what is not one value (encoders, views) the parts follow.
            if (option.GetValue(options) is { } value && (value is string || value.GetType().IsValueType))
                Assert.AreEqual($"{option.Name} {(value is string ? $"'{value}'" : value is bool on ? on ? "true" : "false"
                    : ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture))}", text);
        }

        object? Told(PropertyInfo option, object? now) => option.Name switch
        {
            "EarlyStoppingPatience" => 3,
            "FrozenBlocks" => 1,
            "PixelMaximum" => 510f,
            "Truncation" => TextTruncation.HeadAndTail,
            "Encoder" or "ImageEncoder" or "TextEncoder" => option.GetValue(given) ?? DefaultEncoder(option.PropertyType),
            _ when option.PropertyType == typeof(string) => "Other",
            _ => ContractAccess.Call<object?>(target, "Other", option, now),
        };
    }

    private static EncoderFactory DefaultEncoder(Type kind) => kind == typeof(TextEncoderFactory) ? TextEncoders.Bag(embeddingDimension: 24)
        : kind == typeof(TabularEncoderFactory) ? TabularEncoders.Mlp()
        : kind == typeof(ImageEncoderFactory) ? ImageEncoders.SmallConvNet() : TimeSeriesEncoders.DilatedConvolution();

    // The losses and all weights, buffers and random streams at the end of a training on three quarters of the rows.
    private static (double[] Losses, Dictionary<string, byte[]> State) Train(Type type, bool measures)
    {
        var mlContext = TestDevice.Context(5);
        var contract = Activator.CreateInstance(type)!;
        Action<PretrainingOptions> change = o => (o.ValidationFraction, o.NumberOfEpochs) = (0.25, 3);
        var trainer = ContractAccess.Call<PretrainingTrainer>(contract, "Create", mlContext, change);
        using var streams = new RandomStreams(7);
        using var channel = ((IChannelProvider)mlContext).Start("test");
        using var run = ContractAccess.Call<PretrainingRun>(trainer, "Prepare", ContractAccess.Call<IDataView>(contract, "View", mlContext, 128, 1), streams, channel);
        var held = new HeldOutLoss(run.Method, run.Source.HeldOut, streams, CPU, mixedPrecision: false);
        var falling = 0.0;
        var validation = new EpochValidation(() =>
        {
            Assert.IsTrue(double.IsFinite(held.Measure(default)!.Value));
            return --falling;       // the last epoch counts as the best, so that its weights stay
        }, Patience: null);
        var settings = new TrainingSettings { NumberOfEpochs = 3, BatchSize = 16 };
        var result = PretrainingLoop.Run(run.Method, run.Source, settings, streams, CPU, null, measures ? validation : null, default);
        using var scope = NewDisposeScope();
        var state = run.Method.state_dict().ToDictionary(item => item.Key, item => item.Value.contiguous().bytes.ToArray());
        foreach (var (name, bytes) in streams.GetState())
            state.Add($"stream {name}", bytes);
        return ([.. result.History.Steps.Select(step => step.Loss)], state);
    }
}
