namespace Ssl.Estimators.Reporting;

/// <summary>Whether pretraining pays at few labels: a sentence, a picture and a table.</summary>
internal static class ComparisonSection
{
    /// <summary>Adds the conclusion, a picture and the table.</summary>
    /// <param name="page">Gets them.</param>
    /// <param name="comparison">What was compared.</param>
    public static void Add(Page page, LabelEfficiencyReport comparison)
    {
        page.Paragraph(comparison.Conclusion);
        string[] budgets = [.. comparison.Results.Select(result => result.Budget).Distinct()];
        var series = comparison.Results.Where(result => !result.IsCandidate).GroupBy(result => result.Name)
            .Select(group => new Series(group.Key, [.. group.Select(result => ((double)Array.IndexOf(budgets, result.Budget), result.Mean))],
                [.. group.Select(result => result.StandardDeviation)])).ToArray();
        page.Html(Charts.Means("Accuracy by number of labels: " + comparison.Conclusion, "labels", "accuracy", budgets, series));
        string[] names = [.. comparison.Results.Select(result => result.Name).Distinct()];
        page.Table(["labels", .. names], budgets.Select(budget =>
        {
            var found = comparison.Results.Where(result => result.Budget == budget).ToArray();
            return (IReadOnlyList<string>)[Page.Encode(FormattableString.Invariant($"{budget} ({found[0].NumberOfLabels:N0})")), .. names.Select(name => found.FirstOrDefault(result => result.Name == name) is { } result
                ? FormattableString.Invariant($"{result.Mean:0.000} ±{result.StandardDeviation:0.000}") : "")];
        }), numbers: true);
        if (comparison.Results.Count > 0)
        {
            page.Paragraph(FormattableString.Invariant($"Mean ± standard deviation over {comparison.Results[0].Accuracies.Count} draws of labels, on {comparison.NumberOfTestRows:N0} rows kept out. Baseline: the better of a ")
                + "linear model and boosted trees in cross-validation, on plain features of the same columns. Probe: a linear model on the frozen embedding.");
        }
    }
}
