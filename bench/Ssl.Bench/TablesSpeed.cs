using System.Globalization;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Rows a second of SCARF training against a plain PyTorch program of the same encoder, head and batch.</summary>
public sealed class TablesSpeed : BenchCase
{
    private const int BatchSize = 256, Threads = 2;

    // The peer's own training, without its probes and tuned networks (they take longer than the training).
    private const string PeerProgram =
        """
        import sys
        folder, sys.argv = sys.argv[1], ["scarf.py"] + sys.argv[2:]
        sys.path.insert(0, folder)
        import scarf
        class Nothing:
            def __init__(self, **options): pass
            def fit(self, X, y): return self
            def score(self, X, y): return 0
        scarf.probe = lambda *a, **k: 0
        scarf.tune = lambda *a, **k: 0
        scarf.HistGradientBoostingClassifier = Nothing
        scarf.main()
        """;

    /// <inheritdoc/>
    public override string Name => "tables-speed";

    /// <inheritdoc/>
    public override int Minutes => 5;

    /// <inheritdoc/>
    public override string Description => "rows/s of SCARF training (MLP 4x256, batch 256) against Python's torch";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        Peer.Require(settings, "scarf.py");
        string[] sets = settings.Quick ? ["adult"] : ["adult", "letter", "splice"];
        var (steps, repeats) = settings.Quick ? (100, 1) : (300, 7);
        TorchSharp.torch.set_num_threads(Threads);
        var tables = sets.ToDictionary(name => name, BenchTable.Read);
        var (ours, whole, peer) = (new Dictionary<string, List<double>>(), new Dictionary<string, List<double>>(), new Dictionary<string, List<double>>());
        for (var i = 0; i < repeats; i++)
        {
            var rates = Peer.Run(settings, PeerProgram, "--sets", string.Join(',', sets), "--steps", $"{steps}", "--batch", $"{BatchSize}",
                "--seeds", "1");
            foreach (var name in sets)
            {
                var rate = (double)rates["scarf"]![name]!["throughput"]!["samples_per_s"]!;
                var (loop, all) = OurRates(tables[name], steps);
                Add(peer, name, rate);
                Add(ours, name, loop);
                Add(whole, name, all);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  run {i + 1}, {name}: ours {loop:N0} rows/s (with reading {all:N0}), peer {rate:N0}"));
            }
        }
        // As many rows of each set: the mean of the times.
        double Together(Dictionary<string, List<double>> rates)
            => Measure.Median([.. Enumerable.Range(0, repeats).Select(run => 1 / sets.Average(name => 1 / rates[name][run]))]);
        results.Add("all sets together, training loop", Together(ours), "rows/s", Together(peer));
        results.Add("all sets together, with reading and scaling", Together(whole), "rows/s", Together(peer));
        foreach (var name in sets)
            results.Add($"{name}, training loop", Measure.Median(ours[name]), "rows/s", Measure.Median(peer[name]));
        foreach (var name in sets)
            results.Add($"{name}, with reading and scaling", Measure.Median(whole[name]), "rows/s", Measure.Median(peer[name]));
        results.Note($"SCARF, MLP 4x256 and head 2x256, batch {BatchSize}, about {steps} steps, {Threads} threads; sides interleaved, median of {repeats}.");
        results.Note("Reference: scarf.py's own rate, which leaves reading and scaling out.");
    }

    private static void Add(Dictionary<string, List<double>> rates, string name, double rate)
    {
        if (!rates.TryGetValue(name, out var list))
            rates[name] = list = [];
        list.Add(rate);
    }

    private static (double Loop, double Whole) OurRates(BenchTable table, int steps)
    {
        var stepsAnEpoch = (int)table.Training.Rows.Count / BatchSize;
        var epochs = Math.Max(1, steps / stepsAnEpoch);
        var loop = 0.0;
        var whole = Measure.Seconds(() =>
        {
            var mlContext = new MLContext(seed: BenchResults.Seed);
            using var encoder = mlContext.SelfSupervised().Tabular.Scarf(new ScarfTrainer.Options
            {
                InputColumnNames = table.Columns,
                BatchSize = BatchSize,
                NumberOfEpochs = epochs,
                Progress = new Last(seconds => loop = seconds),
            }).Fit(table.Training);
        });
        double rows = (double)stepsAnEpoch * epochs * BatchSize;
        return (rows / loop, rows / whole);
    }

    private sealed class Last(Action<double> keep) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => keep(value.Elapsed.TotalSeconds);
    }
}
