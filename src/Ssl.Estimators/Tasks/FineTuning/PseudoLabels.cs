using Ssl.Estimators.Transformers;

namespace Ssl.Estimators.Tasks;

/// <summary>
/// Labels for rows without one: the class that a first model is sure of (Lee, "Pseudo-Label", 2013). A second model then learns from
/// both kinds of rows.
/// </summary>
/// <param name="Threshold">Least probability of the class.</param>
/// <param name="MaximumPerClass">Rows a class at most, the surest ones; null for any number.</param>
internal sealed record PseudoLabels(double Threshold, int? MaximumPerClass)
{
    /// <summary>What stands behind the name of the first training's checkpoint in that of the second.</summary>
    public const string CheckpointSuffix = ".pseudo-labels";

    /// <summary>The rows that get a label, and which: by class, the surest ones first.</summary>
    /// <param name="rows">Numbers of the rows.</param>
    /// <param name="probabilities">For each of them, one for each class.</param>
    /// <param name="classes">Number of classes.</param>
    public IReadOnlyCollection<(int Row, float Label)> Choose(int[] rows, float[] probabilities, int classes)
    {
        var sure = new List<(int Row, int Class, float Probability)>();
        for (var i = 0; i < rows.Length; i++)
        {
            var row = probabilities.AsSpan(i * classes, classes);
            var best = PredictionTask.Best(row);
            if (best >= 0 && row[best] >= Threshold)
                sure.Add((rows[i], best, row[best]));
        }
        return [.. sure.GroupBy(item => item.Class).OrderBy(group => group.Key).SelectMany(group => group
            .OrderByDescending(item => item.Probability).ThenBy(item => item.Row).Take(MaximumPerClass ?? int.MaxValue))
            .Select(item => (item.Row, (float)item.Class))];
    }
}
