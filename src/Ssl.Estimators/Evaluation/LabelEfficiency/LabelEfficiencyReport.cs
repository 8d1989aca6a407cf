using System.Globalization;
using System.Text;
using Ssl.Estimators.Evaluation;

namespace Ssl.Estimators;

/// <summary>Accuracies of one approach at one number of labels, one for each draw.</summary>
public sealed class LabelEfficiencyResult
{
    private readonly DrawOutcome[] _outcomes;

    internal LabelEfficiencyResult(string budget, LabelEfficiencyApproach approach, IReadOnlyList<int[]> rows, DrawOutcome[] outcomes)
    {
        (Budget, Approach, LabeledRows, _outcomes) = (budget, approach, rows, outcomes);
        Accuracies = [.. outcomes.Select(outcome => outcome.Accuracy)];
        Settings = [.. outcomes.Select(outcome => outcome.Settings)];
    }

    /// <summary>The number of labels as it was asked for: "5 a class", or "1 %".</summary>
    public string Budget { get; }

    /// <summary>Labels in all.</summary>
    public int NumberOfLabels => LabeledRows[0].Count;

    /// <summary>What was fitted.</summary>
    public LabelEfficiencyApproach Approach { get; }

    /// <summary>
    /// What was fitted, as the table names it: "baseline", "probe", "fine-tuned", "from scratch", the name of a further baseline, or "linear" and
    /// "boosted trees" for those that the stock baseline chooses from.
    /// </summary>
    public string Name => _outcomes[0].Name;

    /// <summary>
    /// Whether it only stood for choice: of each draw the stock baseline takes the candidate that is best in cross-validation on the labeled rows,
    /// and the conclusion compares with what was taken.
    /// </summary>
    public bool IsCandidate => _outcomes[0].IsCandidate;

    /// <summary>Share of the test rows whose class was found, one value a draw of labels. Range [0, 1].</summary>
    public IReadOnlyList<double> Accuracies { get; }

    /// <summary>
    /// What cross-validation on the labeled rows chose, one text a draw: "boosted trees: 31 leaves, 2 rows a leaf, 40 rounds". Empty for what
    /// chooses nothing.
    /// </summary>
    public IReadOnlyList<string> Settings { get; }

    /// <summary>Numbers of the rows whose labels were given, from 0 in the order of the data, one list a draw.</summary>
    public IReadOnlyList<IReadOnlyList<int>> LabeledRows { get; }

    /// <summary>Mean over the draws.</summary>
    public double Mean => Accuracies.Average();

    /// <summary>Standard deviation over the draws (divided by their number less one); 0 for a single draw.</summary>
    public double StandardDeviation => Accuracies.Count < 2 ? 0
        : Math.Sqrt(Accuracies.Sum(a => (a - Mean) * (a - Mean)) / (Accuracies.Count - 1));
}

/// <summary>Whether pretraining pays on these data: accuracies by number of labels, with and without it, and what follows.</summary>
public sealed class LabelEfficiencyReport
{
    internal LabelEfficiencyReport(IReadOnlyList<LabelEfficiencyResult> results, IReadOnlyList<int> testRows, int numberOfTestRows, bool isComplete)
        => (Results, TestRows, NumberOfTestRows, IsComplete) = (results, testRows, numberOfTestRows, isComplete);

    /// <summary>All results, from few labels to many, those of one number of labels in the order of the table.</summary>
    public IReadOnlyList<LabelEfficiencyResult> Results { get; }

    /// <summary>Rows that every accuracy was measured on.</summary>
    public int NumberOfTestRows { get; }

    /// <summary>Numbers of the rows that were kept out to test on, from 0 in the order of the data; empty where test data were given.</summary>
    public IReadOnlyList<int> TestRows { get; }

    /// <summary>False where the comparison was canceled: numbers of labels that were not compared in full are missing.</summary>
    public bool IsComplete { get; }

    /// <summary>
    /// One sentence: from how many labels on, or up to how many, pretraining pays here, or that it does not. It pays where the better of
    /// probe and fine-tuning is above the better of baselines and scratch by more than twice the standard error of their difference over the
    /// draws (with a single draw: above it at all).
    /// </summary>
    public string Conclusion => (IsComplete ? "" : "Canceled before all was compared. ") + Conclude();

    /// <summary>The table and the conclusion.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        string[] names = [.. Results.Select(r => r.Name).Distinct()];
        int[] widths = [.. names.Select(name => Math.Max(16, name.Length + 2))];
        text.Append(CultureInfo.InvariantCulture, $"{"labels",-22}");
        foreach (var (name, width) in names.Zip(widths))
            text.Append(name.PadLeft(width));
        text.AppendLine();
        foreach (var budget in Budgets())
        {
            text.Append(CultureInfo.InvariantCulture, $"{$"{budget[0].Budget} ({budget[0].NumberOfLabels})",-22}");
            foreach (var (result, width) in budget.Zip(widths))
                text.Append(FormattableString.Invariant($"{result.Mean:.000} ±{result.StandardDeviation:.000}").PadLeft(width));
            text.AppendLine();
        }

        if (Results.Count > 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"Mean accuracy on {NumberOfTestRows} rows ± standard deviation over {Results[0].Accuracies.Count} draws.{Chosen()}");
        return text.Append(Conclusion).ToString();
    }

    // Which candidate the stock baseline took how often.
    private string Chosen()
    {
        string[] candidates = [.. Results.Where(r => r.IsCandidate).Select(r => r.Name).Distinct()];
        if (candidates.Length == 0)
            return "";
        string[] settings = [.. Results.Where(r => r is { Approach: LabelEfficiencyApproach.Baseline, Name: BaselineName }).SelectMany(r => r.Settings)];
        return " The baseline is what cross-validation chose: " + string.Join(", ", candidates.Select(name => FormattableString.Invariant(
            $"{name} {settings.Count(s => s.StartsWith(name + ":", StringComparison.Ordinal))} of {settings.Length} times"))) + ".";
    }

    internal const string BaselineName = "baseline";

    internal static bool IsPretrained(LabelEfficiencyApproach approach)
        => approach is LabelEfficiencyApproach.Probe or LabelEfficiencyApproach.FineTune;

    private LabelEfficiencyResult[][] Budgets() => [.. Results.GroupBy(r => r.Budget).Select(group => group.ToArray())];

    private string Conclude()
    {
        var budgets = Budgets();
        if (budgets.Length == 0)
            return "Nothing can be said.";
        var pays = budgets.Select(Pays).ToArray();
        if (!pays.Contains(true))
        {
            var nearest = budgets.MaxBy(budget => Best(budget, true).Mean - Best(budget, false).Mean)!;
            return $"Pretraining does not pay here: at no number of labels tried is it clearly better (nearest at {nearest[0].Budget}: {Against(nearest)}).";
        }

        var (first, last) = (Array.IndexOf(pays, true), Array.LastIndexOf(pays, true));
        var best = $"at {budgets[first][0].Budget}: {Against(budgets[first])}";
        if (!pays.Contains(false))
            return $"Pretraining pays here at every number of labels tried ({best}).";
        if (first == 0 && !pays[..(last + 1)].Contains(false))
            return $"Pretraining pays here up to {budgets[last][0].Budget} ({best}), and no longer at {budgets[last + 1][0].Budget} ({Against(budgets[last + 1])}).";
        if (last == pays.Length - 1 && !pays[first..].Contains(false))
            return $"Pretraining pays here from {budgets[first][0].Budget} on ({best}).";
        return $"Pretraining pays here at {string.Join(", ", budgets.Where((_, i) => pays[i]).Select(b => b[0].Budget))} and not at the other numbers of labels ({best}).";
    }

    private static string Against(LabelEfficiencyResult[] budget)
    {
        var (ours, theirs) = (Best(budget, true), Best(budget, false));
        return FormattableString.Invariant($"{ours.Name} {ours.Mean:.000}, {theirs.Name} {theirs.Mean:.000}");
    }

    private static LabelEfficiencyResult Best(LabelEfficiencyResult[] budget, bool pretrained)
        => budget.Where(r => !r.IsCandidate && IsPretrained(r.Approach) == pretrained).MaxBy(r => r.Mean)!;

    private static bool Pays(LabelEfficiencyResult[] budget)
    {
        var differences = Best(budget, true).Accuracies.Zip(Best(budget, false).Accuracies, (ours, theirs) => ours - theirs).ToArray();
        var mean = differences.Average();
        if (differences.Length < 2)
            return mean > 0;
        var error = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Length - 1) / differences.Length);
        return mean > 2 * error && mean > 0;
    }

    /// <summary>Whether a further baseline of this name could be taken for something else.</summary>
    internal static bool IsOwnName(string name) => name is StockSearch.LinearName or StockSearch.TreesName
        || Enum.GetValues<LabelEfficiencyApproach>().Any(approach => Name(approach) == name);

    /// <summary>How the table names it.</summary>
    internal static string Name(LabelEfficiencyApproach approach) => approach switch
    {
        LabelEfficiencyApproach.Baseline => BaselineName,
        LabelEfficiencyApproach.Probe => "probe",
        LabelEfficiencyApproach.FineTune => "fine-tuned",
        _ => "from scratch",
    };
}
