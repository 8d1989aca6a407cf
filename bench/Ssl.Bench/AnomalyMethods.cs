using System.Globalization;
using Microsoft.Data.Analysis;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Which method of <c>AnomalyScore</c> finds the anomalies of public tables in the default embedding: what its default follows from.</summary>
public sealed class AnomalyMethods : BenchCase
{
    private const int MostRows = 3_000;

    private static readonly string[] Sets = ["Wilt", "cardio", "mammography", "satellite", "Pima", "shuttle", "musk"];

    /// <inheritdoc/>
    public override string Name => "anomaly-methods";

    /// <inheritdoc/>
    public override int Minutes => 20;

    /// <inheritdoc/>
    public override string Description
        => "anomalies of seven tables in SCARF's default embedding: Mahalanobis distance, neighbors by cosine and by distance (AUC, average precision)";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        string[] sets = settings.Sets ?? (settings.Quick ? ["Pima", "cardio"] : Sets);
        int[] seeds = settings.Quick ? [0] : [0, 1];
        var sums = new Dictionary<string, List<double>>();
        foreach (var name in sets)
        {
            var (rows, anomalies) = BenchTable.ReadAnomaly(name);
            if (rows.Length > MostRows)
                (rows, anomalies) = (rows[..MostRows], anomalies[..MostRows]);
            foreach (var setting in new[] { "mixed", "clean" })
            {
                var found = new Dictionary<string, List<(double Auc, double Precision)>>();
                foreach (var seed in seeds)
                {
                    var (fit, test) = Split(anomalies, setting, seed);
                    bool[] truth = [.. test.Select(i => anomalies[i])];
                    foreach (var (method, scores) in Scores(rows, fit, test, seed, settings.Quick))
                    {
                        (found.TryGetValue(method, out var list) ? list : found[method] = [])
                            .Add((100 * TablesAnomaly.Auc(scores, truth), 100 * AveragePrecision(scores, truth)));
                    }
                }
                foreach (var (method, list) in found)
                {
                    results.Add($"{name}, {setting}, {method}: AUC", list.Average(pair => pair.Auc), "%");
                    results.Add($"{name}, {setting}, {method}: average precision", list.Average(pair => pair.Precision), "%");
                    Add($"mean, {setting}, {method}: AUC", list.Average(pair => pair.Auc));
                    Add($"mean, {setting}, {method}: average precision", list.Average(pair => pair.Precision));
                }
                Console.WriteLine($"  {name,-12} {setting,-6}" + string.Concat(found.Select(pair => string.Create(CultureInfo.InvariantCulture,
                    $"  {pair.Key} {string.Join('/', pair.Value.Select(v => $"{v.Auc:0.0}"))} ({string.Join('/', pair.Value.Select(v => $"{v.Precision:0.0}"))})"))));
            }
        }
        foreach (var (key, values) in sums)
            results.Add(key, values.Average(), "%");
        results.Note($"{string.Join(", ", sets)}, the first {MostRows:N0} rows of a set at most; seeds {string.Join(", ", seeds)}, mean over them. Mixed: fitted on all "
            + "rows and scored on them; clean: fitted on half of the normal rows (drawn by the seed), scored on all others.");
        results.Note("Embedding: SCARF with its default options, cells before it. Cosine and Mahalanobis: AnomalyScore with 5 neighbors. Euclidean: mean distance to "
            + "the 5 nearest fitted rows, itself left out where the rows are the same.");

        void Add(string key, double value) => (sums.TryGetValue(key, out var list) ? list : sums[key] = []).Add(value);
    }

    private static (int[] Fit, int[] Test) Split(bool[] anomalies, string setting, int seed)
    {
        int[] all = [.. Enumerable.Range(0, anomalies.Length)];
        if (setting == "mixed")
            return (all, all);
        int[] normal = [.. all.Where(i => !anomalies[i])];
        new Random(seed).Shuffle(normal);
        int[] fit = [.. normal.Take(normal.Length / 2).Order()];
        return (fit, [.. all.Except(fit)]);
    }

    private static IEnumerable<(string Name, float[] Values)> Scores(float[][] rows, int[] fit, int[] test, int seed, bool quick)
    {
        var mlContext = new MLContext(seed);
        var ssl = mlContext.SelfSupervised();
        string[] columns = [.. Enumerable.Range(0, rows[0].Length).Select(i => $"f{i}")];
        IDataView Frame(int[] chosen)
            => new DataFrame([.. columns.Select((name, c) => new PrimitiveDataFrameColumn<float>(name, chosen.Select(i => rows[i][c])))]);
        var options = new ScarfTrainer.Options { InputColumnNames = columns };
        if (quick)
            options.MinimumNumberOfSteps = 30;
        using var encoder = ssl.Tabular.Scarf(options).Fit(Frame(fit));
        var (training, scored) = (mlContext.Data.Cache(encoder.Transform(Frame(fit))), mlContext.Data.Cache(encoder.Transform(Frame(test))));
        foreach (var (name, method) in new[] { ("Mahalanobis", AnomalyMethod.Mahalanobis), ("cosine neighbors", AnomalyMethod.NeighborDistance) })
        {
            using var detector = ssl.AnomalyScore(encoder.OutputColumnName, method).Fit(training);
            yield return (name, [.. detector.Transform(scored).GetColumn<float>("Score")]);
        }
        float[][] Vectors(IDataView view) => [.. view.GetColumn<float[]>(encoder.OutputColumnName)];
        yield return ("Euclidean neighbors", TablesAnomaly.Distances(Vectors(training), Vectors(scored), same: fit.Length == test.Length));
    }

    // Mean of the precision at every anomaly, from the strangest row on; rows of one score come together.
    private static double AveragePrecision(float[] scores, bool[] anomalies)
    {
        var order = Enumerable.Range(0, scores.Length).OrderByDescending(i => scores[i]).ToArray();
        var (found, sum) = (0, 0.0);
        for (var i = 0; i < order.Length;)
        {
            var end = i;
            var inTie = 0;
            for (; end < order.Length && scores[order[end]] == scores[order[i]]; end++)
                inTie += anomalies[order[end]] ? 1 : 0;
            found += inTie;
            sum += inTie * (found / (double)end);
            i = end;
        }
        return sum / found;
    }
}
