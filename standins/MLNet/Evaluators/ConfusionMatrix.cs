using System.Globalization;
using System.Text;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>How often each class was taken for each: rows are the truth, columns the prediction.</summary>
public sealed class ConfusionMatrix
{
    private readonly string[] _names;
    private readonly bool _binary;

    internal ConfusionMatrix(double[][] counts, IEnumerable<string> names, bool binary)
    {
        (_names, _binary) = ([.. names], binary);
        Counts = counts;
        PerClassPrecision = [.. Enumerable.Range(0, counts.Length).Select(i => Share(counts[i][i], counts.Sum(row => row[i])))];
        PerClassRecall = [.. Enumerable.Range(0, counts.Length).Select(i => Share(counts[i][i], counts[i].Sum()))];
    }

    public IReadOnlyList<double> PerClassPrecision { get; }
    public IReadOnlyList<double> PerClassRecall { get; }
    public IReadOnlyList<IReadOnlyList<double>> Counts { get; }
    public int NumberOfClasses => Counts.Count;

    public double GetCountForClassPair(int predictedClassIndicatorIndex, int actualClassIndicatorIndex)
    {
        const string message = "Invalid index. Should be non-negative, less than the number of classes.";
        Contracts.CheckParam(null, predictedClassIndicatorIndex >= 0 && predictedClassIndicatorIndex < NumberOfClasses,
            nameof(predictedClassIndicatorIndex), message);
        Contracts.CheckParam(null, actualClassIndicatorIndex >= 0 && actualClassIndicatorIndex < NumberOfClasses,
            nameof(actualClassIndicatorIndex), message);
        return Counts[actualClassIndicatorIndex][predictedClassIndicatorIndex];
    }

    /// <summary>A table for people. Where names are longer than a column is wide, columns are numbered.</summary>
    public string GetFormattedConfusionTable()
    {
        var text = new StringBuilder();
        var count = NumberOfClasses;
        var width = count == 2 ? 8 : 5;
        var longest = _names.Max(name => name.Length);
        var numbered = longest > width;
        var digits = (count - 1).ToString(CultureInfo.InvariantCulture).Length;
        var margin = Math.Max(9, numbered ? longest + digits + 2 : longest);
        var pad = new string(' ', margin - 9);
        var line = new string('=', count * (count > 2 ? 8 : 11));
        string Cell(FormattableString value, int size) => FormattableString.Invariant(value).PadLeft(size);
        if (_binary && count == 2)
        {
            var (positives, negatives) = (Counts[0].Sum(), Counts[1].Sum());
            var ratio = positives / (positives + negatives);
            text.Append(FormattableString.Invariant($"TEST {_names[0].ToUpperInvariant()} RATIO:\t{ratio:N4} "));
            text.Append(FormattableString.Invariant($"({positives:F1}/({positives:F1}+{negatives:F1}))"));
        }

        text.AppendLine().AppendLine("Confusion table");
        text.AppendLine($"          {pad}||{line}");
        text.Append($"PREDICTED {pad}||");
        for (var i = 0; i < count; i++)
        {
            text.Append($" {(numbered ? Cell($"{i}", width) : _names[i].PadLeft(width))} |");
        }

        text.AppendLine(" Recall").AppendLine($"TRUTH     {pad}||{line}");
        for (var i = 0; i < count; i++)
        {
            text.Append(
                numbered ? $"{Cell($"{i}", digits)}. {_names[i].PadLeft(margin - digits - 2)} ||" : $"{_names[i].PadLeft(margin)} ||");
            foreach (var cell in Counts[i])
            {
                text.Append($" {Cell($"{cell:N0}", width)} |");
            }

            text.AppendLine($" {Cell($"{PerClassRecall[i]:F4}", 5)}");
        }

        text.AppendLine($"          {pad}||{line}");
        text.Append($"Precision {pad}||");
        foreach (var precision in PerClassPrecision)
        {
            text.Append($"{Cell($"{precision:N4}", width + 1)} |");
        }

        return text.AppendLine().ToString();
    }

    internal static double Share(double part, double whole) => whole > 0 ? part / whole : 0;
}
