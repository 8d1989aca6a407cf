using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tasks;

namespace Ssl.Estimators.Evaluation;

/// <summary>What predicts from few labels.</summary>
public enum LabelEfficiencyApproach
{
    /// <summary>A stock pipeline that knows nothing of the encoder.</summary>
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
        public const int NumberOfDraws = 5;
        public const double TestFraction = 0.2;
    }

    /// <summary>Name of the column of classes. Its type is a key of <see cref="uint"/>; rows without one are left out.</summary>
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
    /// Shares of the labels of every class to compare at, beside <see cref="LabelsPerClass"/>. Greater than 0, at most 1.
    /// </summary>
    /// <value>The default value is empty.</value>
    public IReadOnlyList<double> LabelFractions { get; set; } = [];

    /// <summary>How often labels are drawn. Of one draw, fewer labels are among the more. At least 1.</summary>
    /// <value>The default value is 5.</value>
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
    /// multiclass trainers do. Null takes <c>LbfgsMaximumEntropy</c> on the encoder's input columns: numbers standardized, keys as
    /// indicators, texts as bags of words weighted by rarity.
    /// </summary>
    /// <value>The default value is null.</value>
    public IEstimator<ITransformer>? Baseline { get; set; }

    /// <summary>How copies of the encoder, and the same network from scratch, are fine-tuned; encoder, columns, seed and cancellation are
    /// set by the comparison.</summary>
    /// <value>By default the defaults of <see cref="MulticlassFineTuningTrainer"/>.</value>
    public MulticlassFineTuningTrainer.Options FineTuning { get; set; } = new();

    /// <summary>What to compare. At least two, at least one with and one without pretraining.</summary>
    /// <value>The default value is all four.</value>
    public IReadOnlyList<LabelEfficiencyApproach> Approaches { get; set; } = Enum.GetValues<LabelEfficiencyApproach>();

    /// <summary>Seed of all draws; null takes it from the <c>MLContext</c>.</summary>
    public int? Seed { get; set; }

    /// <summary>Told after every fit and test.</summary>
    public IProgress<LabelEfficiencyProgress>? Progress { get; set; }

    /// <summary>Ends the comparison soon; the report then has what was complete.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal void Validate(OptionFaults faults)
    {
        OptionRuleAttribute.Check(this, faults);
        faults.NotNull(LabelsPerClass);
        faults.NotNull(LabelFractions);
        faults.NotNull(FineTuning);
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
