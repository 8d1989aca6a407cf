using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>Settings of the evaluation of a representation. Checked when it starts, all faults at once.</summary>
public sealed class RepresentationEvaluationOptions
{
    internal static class Defaults
    {
        public const string FeatureColumnName = "Features";
        public const int NumberOfNeighbors = 20;
        public const double Temperature = 0.1;
        public const double TestFraction = 0.2;
        public const int MaximumNumberOfRows = 10_000;
    }

    /// <summary>Name of the column of vectors: known-size, of <see cref="float"/>.</summary>
    /// <value>The default value is "Features".</value>
    [NotEmpty]
    public string FeatureColumnName { get; set; } = Defaults.FeatureColumnName;

    /// <summary>Name of a column of labels, a key of <see cref="uint"/> or <see cref="bool"/>; null measures no prediction.</summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? LabelColumnName { get; set; }

    /// <summary>Name of a second column of vectors that should be near those of the first, such as another view; null measures no
    /// alignment.</summary>
    /// <value>The default value is null.</value>
    [NotEmpty(AllowsNull = true)]
    public string? PairColumnName { get; set; }

    /// <summary>How many neighbors vote on a row. At least 1.</summary>
    /// <value>The default value is 20.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfNeighbors { get; set; } = Defaults.NumberOfNeighbors;

    /// <summary>Divides the cosine similarities of the neighbors. Greater than 0.</summary>
    /// <value>The default value is 0.1.</value>
    [OptionRange(Above = 0)]
    public double Temperature { get; set; } = Defaults.Temperature;

    /// <summary>Share of every class that the linear probe is tested on. Between 0 and 1.</summary>
    /// <value>The default value is 0.2.</value>
    [OptionRange(Above = 0, Below = 1)]
    public double TestFraction { get; set; } = Defaults.TestFraction;

    /// <summary>Rows at most; of more, so many are drawn. At least 2.</summary>
    /// <value>The default value is 10,000.</value>
    [OptionRange(Minimum = 2)]
    public int MaximumNumberOfRows { get; set; } = Defaults.MaximumNumberOfRows;

    /// <summary>Seed of the draws; null takes it from the <c>MLContext</c>.</summary>
    public int? Seed { get; set; }

    internal void Validate(OptionFaults faults) => OptionRuleAttribute.Check(this, faults);
}
