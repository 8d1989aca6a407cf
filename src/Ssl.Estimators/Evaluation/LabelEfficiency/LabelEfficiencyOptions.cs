using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>What predicts from few labels.</summary>
public enum LabelEfficiencyApproach
{
    /// <summary>Stock pipelines that know nothing of the encoder.</summary>
    Baseline,

    /// <summary>A linear classifier on the frozen embedding.</summary>
    Probe,

    /// <summary>A fine-tuned copy of the encoder.</summary>
    FineTune,

    /// <summary>The same network with fresh weights, trained by the same fine-tuning.</summary>
    Scratch,
}

/// <summary>Settings of the comparison. Checked when it starts, all faults at once.</summary>
public sealed class LabelEfficiencyOptions
{
    internal static class Defaults
    {
        public const string LabelColumnName = "Label";
        public const int NumberOfDraws = 3;
        public const int Seed = 0;
        public const double TestFraction = 0.2;
    }

    /// <summary>
    /// Name of the column of classes. Its type is a key of <see cref="uint"/>; rows without one are neither drawn nor tested on, and tell only how
    /// features are scaled.
    /// </summary>
    /// <value>The default value is "Label".</value>
    [NotEmpty]
    public string LabelColumnName { get; set; } = Defaults.LabelColumnName;

    /// <summary>
    /// Numbers of labels a class to compare at. At least 1 each; a class that has fewer rows gives all of them. Empty compares at
    /// <see cref="LabelFractions"/> only.
    /// </summary>
    /// <value>The default value is 5, 20 and 100.</value>
    public IReadOnlyList<int> LabelsPerClass { get; set; } = [5, 20, 100];

    /// <summary>
    /// Shares of the labels of every class to compare at, beside <see cref="LabelsPerClass"/>. Greater than 0, at most 1. Every class keeps one
    /// row at least, however rare it is.
    /// </summary>
    /// <value>The default value is empty.</value>
    public IReadOnlyList<double> LabelFractions { get; set; } = [];

    /// <summary>How often labels are drawn. Of one draw, fewer labels are among the more. At least 1.</summary>
    /// <value>The default value is 3.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfDraws { get; set; } = Defaults.NumberOfDraws;

    /// <summary>Rows to test on; null keeps <see cref="TestFraction"/> of the data out.</summary>
    /// <value>The default value is null.</value>
    public IDataView? TestData { get; set; }

    /// <summary>
    /// Share of every class that is kept out to test on. Between 0 and 1. Not read where <see cref="TestData"/> is given.
    /// </summary>
    /// <value>The default value is 0.2.</value>
    public double TestFraction { get; set; } = Defaults.TestFraction;

    /// <summary>
    /// The pipeline that pretraining has to beat: it reads the data's columns and gives <c>PredictedLabel</c> and <c>Score</c> as ML.NET's
    /// multiclass trainers do. Null takes what is better in cross-validation on the labeled rows: <c>LbfgsMaximumEntropy</c> with L1 and L2
    /// penalties chosen there, or, for tables, <c>LightGbm</c> in settings for few rows chosen there. They see the encoder's input columns: numbers
    /// standardized, with indicators of missing ones; categories one-hot, at most 1,000 entries a column; texts as TF-IDF, each column with words of
    /// its own (trees do not see words). Scales, entries and words are learned from all rows that are not tested on. A text column of a table
    /// counts as words where its cells have two or more on average and more than a fifth of them, and more than 20, differ.
    /// </summary>
    /// <value>The default value is null.</value>
    public IEstimator<ITransformer>? Baseline { get; set; }

    /// <summary>
    /// Pipelines that pretraining has to beat, too, by the names that the report gives them; each as <see cref="Baseline"/>. Pretraining is
    /// compared with the best of all. Names must not be empty or one of the report's own.
    /// </summary>
    /// <value>The default value is empty.</value>
    public IReadOnlyDictionary<string, IEstimator<ITransformer>> FurtherBaselines { get; set; } = new Dictionary<string, IEstimator<ITransformer>>();

    /// <summary>How copies of the encoder, and the same network from scratch, are fine-tuned; encoder, columns, seed and cancellation are
    /// set by the comparison.</summary>
    /// <value>By default the defaults of <see cref="MulticlassFineTuningTrainer"/>.</value>
    public MulticlassFineTuningTrainer.Options FineTuning { get; set; } = new();

    /// <summary>What to compare. At least two, at least one with and one without pretraining.</summary>
    /// <value>The default value is all four.</value>
    public IReadOnlyList<LabelEfficiencyApproach> Approaches { get; set; } = Enum.GetValues<LabelEfficiencyApproach>();

    /// <summary>
    /// Seed of all draws, so that two calls on the same data, such as with two encoders, show the same labels and test on the same rows; null draws
    /// one from the <c>MLContext</c> at every call.
    /// </summary>
    /// <value>The default value is 0.</value>
    public int? Seed { get; set; } = Defaults.Seed;

    /// <summary>Told after every fit and test.</summary>
    public IProgress<LabelEfficiencyProgress>? Progress { get; set; }

    /// <summary>Ends the comparison soon; the report then has what was complete.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal LabelEfficiencyOptions Snapshot() => (LabelEfficiencyOptions)MemberwiseClone();

    internal void Validate(OptionFaults faults)
    {
        OptionRuleAttribute.Check(this, faults);
        faults.NotNull(LabelsPerClass);
        faults.NotNull(LabelFractions);
        faults.NotNull(FineTuning);
        faults.NotNull(FurtherBaselines);
        foreach (var (name, pipeline) in FurtherBaselines ?? new Dictionary<string, IEstimator<ITransformer>>())
        {
            faults.Require(!string.IsNullOrWhiteSpace(name) && !LabelEfficiencyReport.IsOwnName(name), nameof(FurtherBaselines),
                "must have names that are not empty and not the report's own", $"\"{name}\"");
            faults.Require(pipeline is not null, nameof(FurtherBaselines), "must have a pipeline for each name", $"null for \"{name}\"");
        }
        foreach (var count in LabelsPerClass ?? [])
            faults.AtLeast(count, 1, nameof(LabelsPerClass));
        foreach (var fraction in LabelFractions ?? [])
            faults.Require(fraction is > 0 and <= 1, nameof(LabelFractions), "must be greater than 0 and at most 1", fraction);
        faults.Require((LabelsPerClass?.Count ?? 0) + (LabelFractions?.Count ?? 0) > 0, nameof(LabelsPerClass),
            "and LabelFractions must not both be empty", "none");
        if (TestData is null)
            faults.Between(TestFraction, 0, 1);
        faults.Require(Approaches is not null && Approaches.Any(LabelEfficiencyReport.IsPretrained)
            && Approaches.Any(approach => !LabelEfficiencyReport.IsPretrained(approach)) && Approaches.All(Enum.IsDefined),
                nameof(Approaches),
            "must have at least one of Probe and FineTune and one of Baseline and Scratch",
            Approaches is null || Approaches.Count == 0 ? "none" : string.Join(", ", Approaches));
    }
}

/// <summary>Where a comparison stands.</summary>
/// <param name="Done">Fits that are complete, this one among them.</param>
/// <param name="Total">Fits in all.</param>
/// <param name="Approach">What was fitted.</param>
/// <param name="Budget">At how many labels, as the report names it.</param>
/// <param name="Accuracy">Share of the test rows whose class it found. Range [0, 1].</param>
/// <param name="Elapsed">Time since the comparison began.</param>
public sealed record LabelEfficiencyProgress(int Done, int Total, LabelEfficiencyApproach Approach, string Budget, double Accuracy,
    TimeSpan Elapsed);
