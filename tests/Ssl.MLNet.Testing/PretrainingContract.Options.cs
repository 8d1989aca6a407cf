using System.Reflection;
using Microsoft.ML;
using Ssl.Estimators;

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
        ["EncoderBatchSize"] = "gives the gradients of the whole batch; GradientCacheTests",
        ["AllowTf32"] = "rounds on a GPU only; DevicePrecisionTests",
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
        "FrozenBlocks" => 1,
        "Truncation" => TextTruncation.HeadAndTail,
        "NumberOfChannels" => 1,
        "Spectrogram" => new LogMelSpectrogram(1_000, numberOfBands: 4, windowLength: 8, hopLength: 1),
        "Encoder" or "ImageEncoder" or "TextEncoder" => null,
        "EncoderBatchSize" => 4,
        "Dimension" => 8,
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

    /// <summary>Options that change something only with settings or rows of their own: <see cref="Prepare"/>, <see cref="ViewFor"/>.</summary>
    protected virtual IReadOnlyCollection<string> Prepared => ["ShuffleBufferSize", "HardNegativeGroupSize"];

    /// <summary>Settings without which an option changes nothing.</summary>
    /// <param name="option">One of <see cref="Prepared"/>, or "".</param>
    /// <param name="options">Those of both runs that are compared.</param>
    protected virtual void Prepare(string option, PretrainingOptions options)
    {
        if (option == "ShuffleBufferSize")
            options.CacheLimit = 0;
        // From the second epoch on.
        if (option == "HardNegativeGroupSize")
            options.NumberOfEpochs = 2;
    }

    /// <summary>Rows among which an option changes something.</summary>
    protected virtual IDataView ViewFor(string option, MLContext mlContext, int count) => View(mlContext, count);

    [TestMethod]
    public void Every_option_changes_what_is_learned()
    {
        PretrainingOptions? sample = null;
        Create(TestDevice.Context(1), options => sample = options);
        var untouched = new List<string>();
        var plain = new Dictionary<string, float[][]>();
        foreach (var option in sample!.GetType().GetProperties()
            .Where(o => o is { CanRead: true, CanWrite: true } && !s_withoutEffect.ContainsKey(o.Name) && !OptionsWithoutEffect.ContainsKey(o.Name)))
        {
            var circumstance = Prepared.Contains(option.Name) ? option.Name : "";
            if (!plain.TryGetValue(circumstance, out var expected))
                plain[circumstance] = expected = Run(_ => { });
            var actual = Run(options => option.SetValue(options, Other(option, option.GetValue(options))));
            if (actual.Zip(expected).All(pair => pair.First.SequenceEqual(pair.Second)))
                untouched.Add(option.Name);

            float[][] Run(Action<PretrainingOptions> change)
            {
                var mlContext = TestDevice.Context(1);
                using var encoder = Fit(mlContext, ViewFor(circumstance, mlContext, 48), options =>
                {
                    options.NumberOfEpochs = 1;
                    Prepare(circumstance, options);
                    change(options);
                });
                return Embed(encoder, ViewFor(circumstance, mlContext, 4));
            }
        }
        Assert.AreEqual("", string.Join(", ", untouched), "options without effect");
    }
}
