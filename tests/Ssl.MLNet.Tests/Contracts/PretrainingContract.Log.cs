using System.Globalization;
using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;

namespace Ssl.MLNet.Tests.Contracts;

public abstract partial class PretrainingContract<TRow>
{
    [TestMethod]
    public void The_log_tells_of_every_epoch()
    {
        var lines = new List<string>();
        var mlContext = new MLContext(1);
        mlContext.Log += (_, e) => { lock (lines) lines.Add(e.Message); };
        using var encoder = Fit(mlContext, change: o => o.NumberOfEpochs = 2);
        Assert.IsTrue(lines.Any(l => l.Contains("epoch 1/2")), string.Join('\n', lines));
        Assert.IsTrue(lines.Any(l => l.Contains("epoch 2/2")));
    }

    [TestMethod]
    public void The_log_tells_the_run_with_the_options_that_are_not_the_defaults()
    {
        var lines = new List<string>();
        var mlContext = new MLContext(1);
        mlContext.Log += (_, e) => { lock (lines) lines.Add(e.Message); };
        PretrainingOptions? given = null;
        using var encoder = Fit(mlContext, change: o =>
        {
            (o.NumberOfEpochs, o.BatchSize, o.WarmupFraction, o.Seed) = (2, 16, 0.125, 77);
            given = o;
        });
        var name = given!.GetType().DeclaringType!.Name.Replace("Trainer", "");
        var line = lines.Single(text => text.Contains($"{name} on cpu, seed 77, 12 steps (2 epochs of 6): ", StringComparison.Ordinal));
        StringAssert.Contains(line, "WarmupFraction 0.125");
        Assert.IsFalse(line.Contains("WeightDecay", StringComparison.Ordinal) || line.Contains("Seed", StringComparison.Ordinal), line);
    }

    [TestMethod]
    public void Every_option_is_told_where_it_is_set_and_only_there()
    {
        PretrainingOptions? given = null;
        Create(new MLContext(1), options => given = options);
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
            "Encoder" => option.GetValue(given) ?? DefaultEncoder(option.PropertyType),
            "Tokenizer" => Other(option, now),
            _ when option.PropertyType == typeof(string) => "Other",
            _ => Other(option, now),
        };
    }

    private static EncoderFactory DefaultEncoder(Type kind) => kind == typeof(TextEncoderFactory) ? TextEncoders.Bag(embeddingDimension: 24)
        : kind == typeof(TabularEncoderFactory) ? TabularEncoders.Mlp()
        : kind == typeof(ImageEncoderFactory) ? ImageEncoders.SmallConvNet() : TimeSeriesEncoders.DilatedConvolution();
}
