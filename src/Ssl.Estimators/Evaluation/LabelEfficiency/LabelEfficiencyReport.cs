using System.Globalization;
using System.Text;

namespace Ssl.Estimators.Evaluation;

/// <summary>Accuracies of one approach at one number of labels, one for each draw.</summary>
public sealed class LabelEfficiencyResult
{
    internal LabelEfficiencyResult(string budget, int numberOfLabels, LabelEfficiencyApproach approach, IReadOnlyList<double> accuracies)
        => (Budget, NumberOfLabels, Approach, Accuracies) = (budget, numberOfLabels, approach, accuracies);

    /// <summary>The number of labels as it was asked for: "5 a class", or "1 %".</summary>
    public string Budget { get; }

    /// <summary>Labels in all.</summary>
    public int NumberOfLabels { get; }

    /// <summary>What was fitted.</summary>
    public LabelEfficiencyApproach Approach { get; }

    /// <summary>Share of the test rows whose class was found, one value a draw of labels. Range [0, 1].</summary>
    public IReadOnlyList<double> Accuracies { get; }

    /// <summary>Mean over the draws.</summary>
    public double Mean => Accuracies.Average();

    /// <summary>Standard deviation over the draws (divided by their number less one); 0 for a single draw.</summary>
    public double StandardDeviation => Accuracies.Count < 2 ? 0
        : Math.Sqrt(Accuracies.Sum(a => (a - Mean) * (a - Mean)) / (Accuracies.Count - 1));
}

/// <summary>Whether pretraining pays on these data: accuracies by number of labels, with and without it, and what follows.</summary>
public sealed class LabelEfficiencyReport
{
    internal LabelEfficiencyReport(IReadOnlyList<LabelEfficiencyResult> results, int numberOfTestRows, bool isComplete)
        => (Results, NumberOfTestRows, IsComplete) = (results, numberOfTestRows, isComplete);

    /// <summary>All results, from few labels to many.</summary>
    public IReadOnlyList<LabelEfficiencyResult> Results { get; }

    /// <summary>Rows that every accuracy was measured on.</summary>
    public int NumberOfTestRows { get; }

    /// <summary>False where the comparison was canceled: numbers of labels that were not compared in full are missing.</summary>
    public bool IsComplete { get; }

    /// <summary>
    /// One sentence: from how many labels on, or up to how many, pretraining pays here, or that it does not. It pays where the better of
    /// probe and fine-tuning is above the better of baseline and scratch by more than twice the standard error of their difference over the
    /// draws (with a single draw: above it at all).
    /// </summary>
    public string Conclusion => (IsComplete ? "" : "Canceled before all was compared. ") + Conclude();

    /// <summary>The table and the conclusion.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        var approaches = Results.Select(r => r.Approach).Distinct().Order().ToArray();
        text.Append(CultureInfo.InvariantCulture, $"{"labels",-22}");
        foreach (var approach in approaches)
            text.Append(CultureInfo.InvariantCulture, $"{Name(approach),16}");
        text.AppendLine();
        foreach (var budget in Budgets())
        {
            text.Append(CultureInfo.InvariantCulture, $"{$"{budget[0].Budget} ({budget[0].NumberOfLabels})",-22}");
            foreach (var approach in approaches)
            {
                var result = budget.First(r => r.Approach == approach);
                text.Append(CultureInfo.InvariantCulture,
                    $"{FormattableString.Invariant($"{result.Mean:.000} ±{result.StandardDeviation:.000}"),16}");
            }

            text.AppendLine();
        }

        return text.Append(Conclusion).ToString();
    }

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
        return FormattableString.Invariant($"{Name(ours.Approach)} {ours.Mean:.000}, {Name(theirs.Approach)} {theirs.Mean:.000}");
    }

    private static LabelEfficiencyResult Best(LabelEfficiencyResult[] budget, bool pretrained)
        => budget.Where(r => IsPretrained(r.Approach) == pretrained).MaxBy(r => r.Mean)!;

    private static bool Pays(LabelEfficiencyResult[] budget)
    {
        var differences = Best(budget, true).Accuracies.Zip(Best(budget, false).Accuracies, (ours, theirs) => ours - theirs).ToArray();
        var mean = differences.Average();
        if (differences.Length < 2)
            return mean > 0;
        var error = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Length - 1) / differences.Length);
        return mean > 2 * error && mean > 0;
    }

    private static string Name(LabelEfficiencyApproach approach) => approach switch
    {
        LabelEfficiencyApproach.FineTune => "fine-tuned",
        LabelEfficiencyApproach.Scratch => "from scratch",
        _ => approach.ToString().ToLowerInvariant(),
    };
}
