using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>What a report of an encoder holds. Checked when it is made, all faults at once.</summary>
public sealed class ReportOptions
{
    /// <summary>The page's title; null makes one of the training's name and the columns.</summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? Title { get; set; }

    /// <summary>
    /// Name of a column of classes to compare with: a key, or text, a whole number or <see cref="bool"/>, of which keys are made. Null reports
    /// without labels. Labels are never learned from but by what is compared.
    /// </summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? LabelColumnName { get; set; }

    /// <summary>
    /// Name of the column by which rows are shown among neighbors and in the map: text, a key, a number, <see cref="bool"/> or a time. Null shows what the
    /// encoder reads: its text, its image, the line of its series, the first cells of its table.
    /// </summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? DisplayColumnName { get; set; }

    /// <summary>Rows at most to measure; of more, so many are drawn. At least 10.</summary>
    /// <value>The default value is 5,000.</value>
    [OptionRange(Minimum = 10)]
    public int MaximumNumberOfRows { get; set; } = 5_000;

    /// <summary>Rows in the map, at most 3,000; 0 leaves the map out.</summary>
    /// <value>The default value is 1,000.</value>
    [OptionRange(Minimum = 0, Maximum = 3_000)]
    public int NumberOfMapRows { get; set; } = 1_000;

    /// <summary>Rows, drawn at random, whose neighbors are shown; at most 100, 0 shows none.</summary>
    /// <value>The default value is 8.</value>
    [OptionRange(Minimum = 0, Maximum = 100)]
    public int NumberOfExamples { get; set; } = 8;

    /// <summary>Neighbors of each of them. From 1 to 20.</summary>
    /// <value>The default value is 5.</value>
    [OptionRange(Minimum = 1, Maximum = 20)]
    public int NumberOfNeighbors { get; set; } = 5;

    /// <summary>
    /// How pretraining is compared with plain features at few labels; label column, seed and cancellation are set by the report. Null leaves that out,
    /// as the report does without a label column; where the encoder's columns have no plain features (image files, series of differing length) and no
    /// <see cref="LabelEfficiencyOptions.Baseline"/> is given, the report says that.
    /// </summary>
    /// <value>By default the stock trainers on plain features and on the embedding, three draws of 5, 20 and 100 labels a class; fine-tuning,
    /// which takes a training for every draw, is left out.</value>
    public LabelEfficiencyOptions? LabelEfficiency { get; set; } = new()
    {
        Approaches = [LabelEfficiencyApproach.Baseline, LabelEfficiencyApproach.Probe], NumberOfDraws = 3,
    };

    /// <summary>Seed of all draws; null draws one from the <c>MLContext</c>.</summary>
    /// <value>The default value is 0.</value>
    public int? Seed { get; set; } = 0;

    /// <summary>Told what is being done, in a few words.</summary>
    public IProgress<string>? Progress { get; set; }

    /// <summary>Ends it soon, with <see cref="OperationCanceledException"/>: half a report would look like a whole one.</summary>
    public CancellationToken CancellationToken { get; set; }

    internal void Validate(OptionFaults faults) => OptionRuleAttribute.Check(this, faults);

    internal LabelEfficiencyOptions? ComparisonOf(string label)
    {
        if (LabelEfficiency is not { } given)
            return null;
        var own = given.Snapshot();
        (own.LabelColumnName, own.Seed, own.CancellationToken) = (label, Seed, CancellationToken);
        return own;
    }
}
