using System.Globalization;
using Microsoft.Data.Analysis;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>What pretraining buys with few labels: accuracy on seven tables at 1, 10 and 100 % of the labels.</summary>
public sealed class TablesLabels : BenchCase
{
    private static readonly string[] Sets = ["adult", "letter", "satimage", "churn", "splice", "spambase", "connect-4"];

    // Draws of labels and steps of fine-tuning.
    private static readonly (string Name, int Draws, int Steps)[] Shares = [("1%", 5, 300), ("10%", 3, 300), ("100%", 1, 1_200)];

    // The sets on which the Python SCARF is run as well.
    private static readonly string[] PeerSets = ["adult", "letter", "satimage", "churn", "splice"];

    // Logistic regression and gradient boosting of scikit-learn on z-scores and one-hot categories; the boosting's smallest leaf and number
    // of rounds are chosen on a fifth of the labeled rows where there are few. Beside them the Python SCARF at both temperatures, and the
    // draws of labels, which both sides share.
    private const string PeerProgram =
        """
        import sys
        folder, names, peers, length, *draws = sys.argv[1:]
        names, peers, quick, only_rows, draws = names.split(","), peers.split(","), length == "quick", length == "rows", [int(n) for n in draws]
        sys.argv = ["scarf.py"]
        sys.path.insert(0, folder)
        import scarf as p
        from common import *
        from sklearn.ensemble import HistGradientBoostingClassifier as Boosting
        run = Run("baselines", p.a)
        def boosted(X, y, Xte, yte, classes, seed):
            iters = 30 if classes > 10 else 100
            choices = [(leaf, n) for leaf in (2, 5, 10, 20) for n in (iters // 3, iters)] if len(y) < 1000 else [(20, iters)]
            best = choices[0]
            if len(choices) > 1:
                q = np.random.RandomState(seed).permutation(len(y)); k = max(1, len(q) // 5); scores = []
                for leaf, n in choices:
                    scores.append(Boosting(min_samples_leaf=leaf, max_iter=n, random_state=0).fit(X[q[k:]], y[q[k:]]).score(X[q[:k]], y[q[:k]]))
                best = choices[int(np.argmax(scores))]
            return 100 * Boosting(min_samples_leaf=best[0], max_iter=best[1], random_state=0).fit(X, y).score(Xte, yte)
        for name in names:
            Xtr, ytr, Xte, yte, src = tabular(name); out = {}; encoders = {}; T = torch.from_numpy
            for t in (0.2, 1.0) if name in peers and not only_rows else ():
                p.a.temp, p.a.steps = t, 250 if quick else 1000
                torch.manual_seed(0); e, _ = p.pretrain(T(Xtr), T(src), Meter()); encoders[f"Python SCARF {t:g}"] = e, embed(e, T(Xtr)), embed(e, T(Xte))
            for share, frac, count in zip(("1%", "10%", "100%"), (.01, .1, 1.), draws):
                r = {"logistic": [], "boosting": []}; rows = []
                for s in range(count):
                    i = pick(ytr, n=int(frac * len(ytr)), seed=s); kw = dict(iters=60, Cs=(0.01, 0.3) if len(i) < 2000 else (0.3,)); rows.append([int(v) for v in i])
                    if only_rows: continue
                    r["logistic"].append(probe(Xtr, ytr, Xte, yte, i, **kw)); r["boosting"].append(boosted(Xtr[i], ytr[i], Xte, yte, int(ytr.max()) + 1, s))
                    for k, (e, F, Fte) in encoders.items():
                        if frac == 1: continue
                        r.setdefault(k + ", probe", []).append(probe(F, ytr, Fte, yte, i, **kw))
                        r.setdefault(k + ", tuned", []).append(p.tune(e, T(Xtr[i]), T(ytr[i]), T(Xte), T(yte), s))
                out[share] = dict(rows=rows, figures={k: [float(np.mean(v)), float(np.std(v))] for k, v in r.items() if v})
            run.put(**{name: out})
        run.done()
        """;

    /// <inheritdoc/>
    public override string Name => "tables-labels";

    /// <inheritdoc/>
    public override int Minutes => 40;

    /// <inheritdoc/>
    public override string Description
        => "accuracy at 1/10/100 % of the labels on seven tables: probe and fine-tuning against logistic regression, boosting, no pretraining";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        Peer.Require(settings, "scarf.py");
        string[] sets = settings.Sets ?? (settings.Quick ? ["churn"] : Sets);
        string[] draws = [.. Shares.Select(share => (settings.Quick ? 1 : share.Draws).ToString(CultureInfo.InvariantCulture))];
        var baselines = Peer.Run(settings, PeerProgram,
            [string.Join(',', sets), string.Join(',', PeerSets), settings.Quick ? "quick" : settings.OursOnly ? "rows" : "full", .. draws])["baselines"]!;
        var ranks = new Dictionary<string, List<double>>();
        foreach (var name in sets)
        {
            var rows = Shares.ToDictionary(share => share.Name,
                share => baselines[name]![share.Name]!["rows"]!.AsArray().Select(draw => draw!.AsArray().Select(row => (int)row!).ToArray())
                .ToArray());
            var figures = Measurements(name, BenchTable.Read(name), rows, settings.Quick);
            foreach (var (share, _, _) in Shares)
            {
                var all = new Dictionary<string, double[]>(figures[share]);
                foreach (var (method, values) in baselines[name]![share]!["figures"]!.AsObject())
                    all[method] = [.. values!.AsArray().Select(v => (double)v!)];
                var line = string.Join("  ",
                    all.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value[0]:0.0}±{pair.Value[1]:0.0}")));
                Console.WriteLine($"  {name,-10} {share,-5} {line}");
                foreach (var (method, values) in all)
                    results.Add($"{name}, {share}, {method}", values[0], "%", method == "boosting" || !all.TryGetValue("boosting", out var boosting) ? null : boosting[0]);
                if (settings.OursOnly)
                    continue;
                (string Key, double Value)[] compared =
                [
                    ("logistic", all["logistic"][0]), ("boosting", all["boosting"][0]),
                        ("no pretraining, tuned, the better head",
                            Math.Max(all["no pretraining, tuned"][0], all["no pretraining, tuned from class means"][0])),
                    ("hybrid, probe", all["hybrid, probe"][0]), ("hybrid, tuned", all["hybrid, tuned"][0]),
                ];
                foreach (var (key, value) in compared)
                {
                    var rank = 1 + compared.Count(other => other.Value > value) + (compared.Count(other => other.Value == value) - 1) / 2.0;
                    (ranks.TryGetValue($"{share}, {key}", out var list) ? list : ranks[$"{share}, {key}"] = []).Add(rank);
                }
            }
            results.Save();
        }
        foreach (var (key, values) in ranks)
            results.Add($"average rank of five, {key}", values.Average(), "");
        results.Note($"{string.Join(", ", sets)}; the sets' own split or the first 80 %; means over {draws[0]} draws of 1 % and {draws[1]} of 10 % of the labels, the same for all; one pretraining seed.");
        results.Note("The hybrid's temperature is chosen without labels: 1, the paper's, where the table has a column of texts, else 0.2. Reference: boosting.");
        results.Note("Hybrids: ContrastiveMaskedCells with Mlp (hybrid), on the sets of the Python program also ResidualMlp with piecewise-linear and with periodic numbers.");
        results.Note("Probe: logistic regression on standardized embeddings. Tuned: the whole network from a head of the class means, 300 steps, 1,200 with all labels; the best epoch by a fifth of the labeled rows where there are 100.");
    }

    private static Dictionary<string, Dictionary<string, double[]>> Measurements(string name, BenchTable table,
        Dictionary<string, int[][]> draws, bool quick)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label", BenchTable.Class).Fit(table.Training);
        int Epochs(int steps) => Math.Max(1, (quick ? steps / 4 : steps) * 256 / (int)table.Training.Rows.Count);
        EncoderTransformer Scarf(float temperature) => ssl.Tabular.Scarf(new ScarfTrainer.Options
        {
            InputColumnNames = table.Columns, NumberOfEpochs = Epochs(1_000), Temperature = temperature, IncludeInputFeatures = false,
        }).Fit(table.Training);
        using var cold = Scarf(0.2f);
        using var warm = Scarf(1);
        // The paper's temperature where there are categories, a lower one where there are numbers alone: looks at no label.
        var temperature = table.Columns.Any(column => table.Training[column] is StringDataFrameColumn) ? 1 : 0.2f;
        EncoderTransformer Hybrid(TabularEncoderFactory network) => ssl.Tabular.ContrastiveMaskedCells(
            new ContrastiveMaskedCellsTrainer.Options
        {
            InputColumnNames = table.Columns, NumberOfEpochs = Epochs(800), Temperature = temperature, Encoder = network, IncludeInputFeatures = false,
        }).Fit(table.Training);
        using var hybrid = Hybrid(TabularEncoders.Mlp());
        // For the comparison with the Python program.
        var residual = PeerSets.Contains(name);
        using var piecewise = residual ? Hybrid(TabularEncoders.ResidualMlp(numericEmbedding: NumericEmbedding.PiecewiseLinear)) : null;
        using var periodic = residual ? Hybrid(TabularEncoders.ResidualMlp(numericEmbedding: NumericEmbedding.Periodic)) : null;
        using var none = ssl.Tabular.Scarf(new ScarfTrainer.Options { InputColumnNames = table.Columns, NumberOfEpochs = 0 })
            .Fit(table.Training);

        float[][] Embed(EncoderTransformer encoder, DataFrame data) => [.. encoder.Transform(data).GetColumn<float[]>("Features")];
        var encoders = new Dictionary<string, EncoderTransformer>
        {
            ["SCARF 0.2"] = cold, ["SCARF 1"] = warm, ["hybrid"] = hybrid,
        };
        if (residual)
            (encoders["piecewise-linear hybrid"], encoders["periodic hybrid"]) = (piecewise!, periodic!);
        var embedded = encoders.ToDictionary(pair => pair.Key,
            pair => (Training: Embed(pair.Value, table.Training), Test: Embed(pair.Value, table.Test)));
        string[] tuned = [.. encoders.Keys.Where(method => method.EndsWith("hybrid", StringComparison.Ordinal))];
        int[] labels = BenchTable.ClassesOf(table.Training), testLabels = BenchTable.ClassesOf(table.Test);
        var test = keys.Transform(table.Test);
        uint[] testKeys = [.. test.GetColumn<uint>("Label")];

        double Tune(EncoderTransformer encoder, int[] rows, int steps, int seed, HeadInitialization head = HeadInitialization.ClassMeans)
        {
            var training = keys.Transform(BenchTable.Rows(table.Training, rows));
            var validation = rows.Length >= 100 ? 0.2 : 0;
            var batch = Math.Min(128, Math.Max(8, rows.Length / 2));
            var stepsAnEpoch = Math.Max(1, rows.Length * (1 - validation) / batch);
            using var model = ssl.FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
            {
                Encoder = encoder, BatchSize = batch, NumberOfEpochs = Math.Max(2, (int)((quick ? steps / 4 : steps) / stepsAnEpoch)),
                HeadInitialization = head, ValidationFraction = validation, Patience = 1_000, Seed = seed,
            }).Fit(training);
            return 100.0 * model.Transform(test).GetColumn<uint>("PredictedLabel").Zip(testKeys)
                .Count(pair => pair.First == pair.Second) / testKeys.Length;
        }

        var figures = new Dictionary<string, Dictionary<string, double[]>>();
        foreach (var (share, _, steps) in Shares)
        {
            var values = new Dictionary<string, List<double>>();
            foreach (var (seed, rows) in draws[share].Index())
            {
                foreach (var (method, (training, features)) in embedded)
                    Add($"{method}, probe",
                        LinearProbe.Accuracy([.. rows.Select(i => training[i])], [.. rows.Select(i => labels[i])], features, testLabels,
                        table.Classes, seed));
                foreach (var method in tuned)
                    Add($"{method}, tuned", Tune(encoders[method], rows, steps, seed));
                Add("no pretraining, tuned", Tune(none, rows, steps, seed, HeadInitialization.Random));
                Add("no pretraining, tuned from class means", Tune(none, rows, steps, seed));
            }
            figures[share] = values.ToDictionary(pair => pair.Key, pair => new[] { pair.Value.Average(), Measure.Deviation(pair.Value) });

            void Add(string key, double value) => (values.TryGetValue(key, out var list) ? list : values[key] = []).Add(value);
        }
        return figures;
    }
}
