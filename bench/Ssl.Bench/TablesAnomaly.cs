using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Analysis;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;
using TorchSharp;

namespace Ssl.Bench;

/// <summary>Anomalies of seven public sets by learned scores against classical ones: area under the ROC curve.</summary>
public sealed class TablesAnomaly : BenchCase
{
    private const int Neighbors = 5, MostReferences = 10_000;

    private static readonly string[] Sets = ["Wilt", "cardio", "mammography", "satellite", "Pima", "shuttle", "musk"];

    // The classical scores as the peer computes them, on the same rows.
    private const string PeerProgram =
        """
        import sys
        folder, names = sys.argv[1], sys.argv[2].split(",")
        sys.argv = ["anomaly.py"]
        sys.path.insert(0, folder)
        import anomaly as p
        from common import *
        run = Run("classical", p.a)
        for name in names:
            X, y = anomaly(name); g = np.random.RandomState(0); q = g.permutation(np.where(y == 0)[0]); half = q[:len(q) // 2]; rest = np.setdiff1d(np.arange(len(y)), half); out = {}
            for setting, fit, ev in (("mixed", np.arange(len(y)), np.arange(len(y))), ("clean", half, rest)):
                sc = StandardScaler().fit(X[fit]); A, Q = [np.clip(sc.transform(X[i]), -10, 10).astype(np.float32) for i in (fit, ev)]
                pca = p.PCA(max(1, min(20, X.shape[1] // 2)), svd_solver="randomized", random_state=0).fit(A)
                r = {"forest": -p.IsolationForest(n_estimators=100, random_state=0).fit(A).score_samples(Q), "pca": ((Q - pca.inverse_transform(pca.transform(Q))) ** 2).sum(1),
                     "mahalanobis": (p.PCA(whiten=True).fit(A).transform(Q) ** 2).sum(1), "knn": p.dist(A, Q, setting == "mixed")}
                out[setting] = {k: 100 * roc_auc_score(y[ev], v) for k, v in r.items()}
            out["half"] = [int(i) for i in half]
            run.put(**{name: out})
        run.done()
        """;

    /// <inheritdoc/>
    public override string Name => "tables-anomaly";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description
        => "anomalies of seven tables: embedding neighbors and hidden cells against forest, PCA, Mahalanobis and raw neighbors (AUC)";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        Peer.Require(settings, "anomaly.py");
        string[] sets = settings.Sets ?? (settings.Quick ? ["Pima", "cardio"] : Sets);
        var classical = Peer.Run(settings, PeerProgram, string.Join(',', sets))["classical"]!;
        var sums = new Dictionary<string, List<double>>();
        foreach (var name in sets)
        {
            var (rows, anomalies) = BenchTable.ReadAnomaly(name);
            int[] half = [.. classical[name]!["half"]!.AsArray().Select(i => (int)i!)];
            var inHalf = half.ToHashSet();
            int[] all = [.. Enumerable.Range(0, rows.Length)], rest = [.. all.Where(i => !inHalf.Contains(i))];
            foreach (var (setting, fit, test) in (((string, int[], int[])[])[("mixed", all, all), ("clean", half, rest)]))
            {
                var line = $"  {name,-12} {setting,-6}";
                foreach (var (score, value) in classical[name]![setting]!.AsObject())
                    Add(setting, score, (double)value!);
                foreach (var (score, values) in Scores(rows, fit, test, settings.Quick))
                    Add(setting, score, 100 * Auc(values, [.. test.Select(i => anomalies[i])]));
                Console.WriteLine(line);

                void Add(string setting, string score, double value)
                {
                    line += string.Create(CultureInfo.InvariantCulture, $"  {score} {value:0.0}");
                    var key = $"{setting}, {score}";
                    (sums.TryGetValue(key, out var list) ? list : sums[key] = []).Add(value);
                }
            }
        }
        var best = sums.Where(pair => pair.Key.StartsWith("clean, ", StringComparison.Ordinal))
            .Where(pair => pair.Key.Contains("learned", StringComparison.Ordinal)).Max(pair => pair.Value.Average());
        foreach (var (key, values) in sums.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            results.Add($"mean AUC, {key}", values.Average(), "%");
        results.Add("best learned score, clean, against raw neighbors", best, "%", sums["clean, knn"].Average());
        results.Note($"{string.Join(", ", sets)}; mixed: fitted on all rows; clean: fitted on half of the normal rows, scored on the others. One seed.");
        results.Note("Classical scores by scikit-learn on z-scores cut at 10. Neighbors: mean distance to the 5 nearest of at most 10,000 fitted rows, itself left out.");
    }

    private static IEnumerable<(string Name, float[] Values)> Scores(float[][] rows, int[] fit, int[] test, bool quick)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        string[] columns = [.. Enumerable.Range(0, rows[0].Length).Select(i => $"f{i}")];
        DataFrame Frame(int[] chosen)
            => new([.. columns.Select((name, c) => new PrimitiveDataFrameColumn<float>(name, chosen.Select(i => rows[i][c])))]);
        DataFrame training = Frame(fit), scored = Frame(test);
        var mixed = fit.Length == test.Length;
        int Epochs(int steps) => Math.Max(1, (quick ? steps / 10 : steps) * 256 / fit.Length);
        float[][] Embed(EncoderTransformer encoder, DataFrame data)
            => [.. encoder.Transform(data).GetColumn<float[]>(encoder.OutputColumnName)];

        using (var encoder = ssl.Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = columns, NumericScaling = NumericScaling.ZScore, Encoder = TabularEncoders.Mlp(3, 128),
                CorruptionRate = 0.3f, Temperature = 0.5f,
            NumberOfEpochs = Epochs(600), BatchSize = 256,
        }).Fit(training))
        {
            yield return ("learned SCARF neighbors", Distances(Embed(encoder, training), Embed(encoder, scored), mixed));
        }
        using (var encoder = ssl.Tabular.MaskedCells(new MaskedCellsTrainer.Options
        {
            InputColumnNames = columns, NumericScaling = NumericScaling.ZScore, Encoder = TabularEncoders.Mlp(3, 128), MaskRatio = 0.3f,
            NumberOfEpochs = Epochs(1_200), BatchSize = 256,
        }).Fit(training))
        {
            yield return ("learned hidden cells", [.. encoder.ReconstructionErrors(scored)]);
            yield return ("learned hidden-cell neighbors", Distances(Embed(encoder, training), Embed(encoder, scored), mixed));
        }
    }

    // Mean distance to the nearest fitted rows; where the rows are the fitted ones, a row's own copy is left out.
    internal static float[] Distances(float[][] references, float[][] rows, bool same)
    {
        if (references.Length > MostReferences)
        {
            var order = Enumerable.Range(0, references.Length).ToArray();
            new Random(BenchResults.Seed).Shuffle(order);
            references = [.. order.Take(MostReferences).Select(i => references[i])];
        }
        var distances = new float[rows.Length];
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var reference = Matrix(references);                                     // [R, D]
        var squares = reference.square().sum(1);                                // [R]
        for (var start = 0; start < rows.Length; start += 1_024)
        {
            using var each = torch.NewDisposeScope();
            var block = rows[start..Math.Min(start + 1_024, rows.Length)];
            var query = Matrix(block);
            var all = (query.square().sum(1, keepdim: true) + squares - query.mm(reference.t()) * 2).clamp_min(0).sqrt();       // [B, R]
            var nearest = all.topk(Neighbors + 1, largest: false, sorted: true).Item1.contiguous();
            var values = MemoryMarshal.Cast<byte, float>(nearest.bytes);
            for (var i = 0; i < block.Length; i++)
            {
                var own = values.Slice(i * (Neighbors + 1), Neighbors + 1);
                var first = same && own[0] < 1e-2f ? 1 : 0;
                float sum = 0;
                foreach (var value in own.Slice(first, Neighbors))
                    sum += value;
                distances[start + i] = sum / Neighbors;
            }
        }
        return distances;
    }

    private static torch.Tensor Matrix(float[][] rows) => torch.tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1);

    // The share of pairs in which the anomaly has the higher score; ties count half.
    internal static double Auc(float[] scores, bool[] anomalies)
    {
        var order = Enumerable.Range(0, scores.Length).OrderBy(i => scores[i]).ToArray();
        double ranks = 0;
        for (var i = 0; i < order.Length;)
        {
            var end = i;
            while (end < order.Length && scores[order[end]] == scores[order[i]])
                end++;
            for (var j = i; j < end; j++)
                ranks += anomalies[order[j]] ? (i + end + 1) / 2.0 : 0;
            i = end;
        }
        double positives = anomalies.Count(a => a), negatives = anomalies.Length - positives;
        return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
    }
}
