using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>
/// Settings of the search for hard negatives: texts that an encoder takes for an anchor's partner although they are another's. Checked when
/// it starts, all faults at once.
/// </summary>
public sealed class HardNegativeOptions
{
    internal static class Defaults
    {
        public const string NegativeColumnName = "Negative";
        public const int NumberOfNegatives = 1;
        public const int FirstRank = 1;
        public const int LastRank = 50;
        public const double Margin = 0.05;
    }

    /// <summary>Name of the new text column.</summary>
    /// <value>The default value is "Negative".</value>
    [NotEmpty]
    public string NegativeColumnName { get; set; } = Defaults.NegativeColumnName;

    /// <summary>Name of the column with the anchors' vectors: known-size, of <see cref="float"/>. Rows with the same vector are the same
    /// anchor.</summary>
    [NotEmpty]
    public string AnchorColumnName { get; set; } = "";

    /// <summary>Name of the column with the vectors of the anchors' partners, of the same encoder.</summary>
    [NotEmpty]
    public string PositiveColumnName { get; set; } = "";

    /// <summary>Name of the text column that <see cref="PositiveColumnName"/> embeds: where the negatives are taken from.</summary>
    [NotEmpty]
    public string TextColumnName { get; set; } = "";

    /// <summary>Negatives a row, the hardest first: a row comes out once for each. At least 1.</summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfNegatives { get; set; } = Defaults.NumberOfNegatives;

    /// <summary>
    /// The first place, from 1, that counts among the texts that are no partner of the anchor, the most similar one being the first. A
    /// larger one passes over texts that may well be right answers too.
    /// </summary>
    /// <value>The default value is 1.</value>
    [OptionRange(Minimum = 1)]
    public int FirstRank { get; set; } = Defaults.FirstRank;

    /// <summary>The last place that counts. At least <see cref="FirstRank"/>.</summary>
    /// <value>The default value is 50.</value>
    public int LastRank { get; set; } = Defaults.LastRank;

    /// <summary>How far, in cosine, a negative must at least stay below the anchor's own partner: the nearer ones may be right answers.
    /// From 0 to 2.</summary>
    /// <value>The default value is 0.05.</value>
    [OptionRange(Minimum = 0, Maximum = 2)]
    public double Margin { get; set; } = Defaults.Margin;

    internal void Validate(OptionFaults faults)
    {
        faults.AtLeast(LastRank, FirstRank);
        OptionRuleAttribute.Check(this, faults);
    }
}
