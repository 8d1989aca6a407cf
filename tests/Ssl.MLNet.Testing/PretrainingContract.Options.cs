using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Views;

namespace Ssl.MLNet.Testing;

public abstract partial class PretrainingContract<TRow>
{
    /// <summary>Options of the method that change no number here, beside those that every method has, and why.</summary>
    protected virtual IReadOnlyDictionary<string, string> OptionsWithoutEffect { get; } = new Dictionary<string, string>();

    private static readonly Dictionary<string, string> s_withoutEffect = new()
    {
        ["OutputColumnName"] = "names a column",
        ["InputColumnName"] = "another column is other data",
        ["CheckpointPath"] = "writes what there is; CheckpointTests",
        ["Progress"] = "tells what there is",
        ["CancellationToken"] = "ends the training; Canceling_returns_the_best_so_far_within_a_step",
        ["EarlyStoppingPatience"] = "decides how long the training goes; EpochValidationTests",
        ["MinimumNumberOfSteps"] = "the epochs are stated here; StepBudgetTests",
        ["SkipUnreadableImages"] = "every image here can be read; ImageFaultTests",
        ["PixelMaximum"] = "bytes need 255; ImageInputTests",
        ["FrozenBlocks"] = "an encoder may have one block only; AdaptingTests",
        ["LayerwiseLearningRateDecay"] = "the same code for every method; AdaptingTests",
        ["Normalization"] = "the texts here are of ASCII letters, which every form leaves as they are; TextNormalizationTests",
        ["Truncation"] = "no text here is longer than the encoder takes; TextTruncationTests",
        ["AllowTf32"] = "rounds on a GPU only; DevicePrecisionTests",
        ["PerTimestamp"] = "needs series of one length; TimeSeries tests",
    };

    /// <summary>A value of an option that must change what is learned; say it for those of your own that are neither numbers nor switches.</summary>
    /// <param name="option">Its property.</param>
    /// <param name="now">Its value in the options of <see cref="Create"/>.</param>
    protected virtual object? Other(PropertyInfo option, object? now) => option.Name switch
    {
        "MaximumCropLength" => 6,
        "FrozenPrototypesFraction" => 0.5,
        "MaximumCategories" => 2,
        "MinimumCategoryCount" => 40,
        "MinimumTokenCount" => 12,
        "CacheLimit" => 0L,
        "ShuffleBufferSize" => 4,
        "WarmupFraction" => 0.5,
        "GradientClipNorm" => 0.01,
        "LearningRate" => 3.7e-4,
        "VocabularySize" => 100,
        "Sigma" => 0.5f,
        "Seed" => 77,
        "NumberOfChannels" => 1,
        "Encoder" => null,
        "RequiredWords" => (string[])["garden", "station"],
        "InputColumnNames" => (string[])["Income", "Work"],
        "PairColumnName" or "NegativeColumnName" => "Text",
        "MaximumTrainingTime" => TimeSpan.FromTicks(1),
        "Tokenizer" => WordPieceTokenizer.Train(["file reads lines", "other words here"], new WordPieceTokenizer.Options { MinimumCount = 1 }),
        "Crops" => new MultiCrop(ImageViews.CropAndFlip(new ImageShape(2, 8, 8), 0.9)),
        _ when option.PropertyType == typeof(ImageView) => ImageViews.CropAndFlip(new ImageShape(2, 8, 8), 0.9),
        _ when option.PropertyType == typeof(SeriesView) => new Jitter(0.5),
        _ when option.PropertyType == typeof(TableView) => new GaussianNoise(0.3),
        _ when option.PropertyType == typeof(Func<TextTokenizer, TextView>)
            => (Func<TextTokenizer, TextView>)(tokenizer => new SpanCrop(tokenizer.Vocabulary, 0.3)),
        _ => now switch
        {
            bool on => !on,
            int number => 2 * number,
            float number => number == 0 ? 0.5f : number / 2,
            double number => number == 0 ? 0.5 : number / 2,
            Enum value => Enum.GetValues(value.GetType()).Cast<object>().First(v => !v.Equals(value)),
            _ => throw new AssertFailedException($"Say in {nameof(Other)} which other value of {option.Name} changes what is learned."),
        },
    };

    [TestMethod]
    public void Every_option_changes_what_is_learned()
    {
        PretrainingOptions? sample = null;
        Create(TestDevice.Context(1), options => sample = options);
        var untouched = new List<string>();
        var plain = new Dictionary<bool, float[][]>();
        foreach (var option in sample!.GetType().GetProperties()
            .Where(o => o is { CanRead: true, CanWrite: true } && !s_withoutEffect.ContainsKey(o.Name) && !OptionsWithoutEffect.ContainsKey(o.Name)))
        {
            var streams = option.Name == "ShuffleBufferSize";
            if (!plain.TryGetValue(streams, out var expected))
                plain[streams] = expected = Run(_ => { });
            var actual = Run(options => option.SetValue(options, Other(option, option.GetValue(options))));
            if (actual.Zip(expected).All(pair => pair.First.SequenceEqual(pair.Second)))
                untouched.Add(option.Name);

            float[][] Run(Action<PretrainingOptions> change)
            {
                var mlContext = TestDevice.Context(1);
                using var encoder = Fit(mlContext, View(mlContext, 48), options =>
                {
                    options.NumberOfEpochs = 1;
                    options.CacheLimit = streams ? 0 : options.CacheLimit;
                    change(options);
                });
                return Embed(encoder, View(mlContext, 4));
            }
        }
        Assert.AreEqual("", string.Join(", ", untouched), "options without effect");
    }
}
