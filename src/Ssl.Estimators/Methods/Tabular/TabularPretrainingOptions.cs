using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators;

/// <summary>Settings that every pretraining method for tables has.</summary>
public abstract class TabularPretrainingOptions : PretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected TabularPretrainingOptions(int batchSize = 256, int numberOfEpochs = 30, double learningRate = 1e-3, double weightDecay = 0.01)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay)
    {
    }

    /// <summary>
    /// Names of the columns to learn from and, later, to embed: numbers of any type, booleans, texts and keys as categories, and known-size
    /// vectors of them. At least one; no name twice.
    /// </summary>
    public IReadOnlyList<string> InputColumnNames { get; set; } = [];

    /// <summary>The encoder to pretrain, from <see cref="TabularEncoders"/> or your own; null takes the method's default.</summary>
    public TabularEncoderFactory? Encoder { get; set; }

    /// <summary>
    /// Whether the output column holds the cells themselves before their embedding: numbers piecewise linear over eight bins of equally many
    /// training values, categories one-hot, missing cells marked. Both parts have the same variance in all, and a scale that suits the
    /// default penalties of ML.NET's linear trainers. False gives the embedding alone. Fine-tuning reads the embedding in either case.
    /// </summary>
    /// <value>The default value is true.</value>
    [NotPartOfIdentity("Decides what comes out, not what is trained.")]
    public bool IncludeInputFeatures { get; set; } = true;

    /// <summary>How numbers are brought to a common scale.</summary>
    /// <value>The default value is <see cref="NumericScaling.Quantile"/>.</value>
    public NumericScaling NumericScaling { get; set; } = NumericScaling.Quantile;

    /// <summary>How often a category must occur to have an entry of its own; others share the entry of rare ones. At least 1.</summary>
    /// <value>The default value is 2.</value>
    [OptionRange(Minimum = 1)]
    public int MinimumCategoryCount { get; set; } = 2;

    /// <summary>The most categories of a column with an entry of their own, the most frequent ones. At least 1.</summary>
    /// <value>The default value is 1,000.</value>
    [OptionRange(Minimum = 1)]
    public int MaximumCategories { get; set; } = 1_000;

    private protected override EncoderFactory? EncoderToStartWith => Encoder;

    private protected override void ValidateKind(OptionFaults faults)
    {
        faults.NotNull(InputColumnNames);
        var names = InputColumnNames ?? [];
        faults.Require(InputColumnNames is null || names.Count > 0, nameof(InputColumnNames), "must have at least one name", "none");
        faults.Require(!names.Any(string.IsNullOrWhiteSpace), nameof(InputColumnNames), "must not have an empty name", "one");
        var twice = names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1)?.Key;
        faults.Require(twice is null, nameof(InputColumnNames), "must not have a name twice", $"'{twice}' twice");
    }
}
