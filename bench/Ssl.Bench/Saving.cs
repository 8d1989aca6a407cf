using System.Globalization;
using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Tasks;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Saving and loading a model with 50 MB of weights through <c>mlContext.Model</c> and as an encoder file.</summary>
public sealed class Saving : BenchCase
{
    private const double MostSaveSeconds = 4, MostLoadSeconds = 2, MostTimesTheWeights = 5;

    /// <inheritdoc/>
    public override string Name => "saving";

    /// <inheritdoc/>
    public override int Minutes => 2;

    /// <inheritdoc/>
    public override string Description => "Model.Save, Model.Load + first row, and peak memory with 50 MB of weights";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var megabytes = settings.Quick ? 5 : 50;
        var repeats = settings.Quick ? 1 : 3;
        var folder = Directory.CreateTempSubdirectory("ssl-bench-").FullName;
        try
        {
            var mlContext = new MLContext(seed: BenchResults.Seed);
            var data = mlContext.Data.LoadFromEnumerable(BenchText.Synthetic(20_000, 20, BenchResults.Seed)
                .Select(text => new TextRow { Text = text, Pair = text }));
            // Almost all weights are token vectors: 4 bytes x vocabulary x dimension.
            const int Vocabulary = 6_000;
            using var encoder = mlContext.SelfSupervised().Text.PairedContrastive(new PairedContrastiveTrainer.Options
            {
                Encoder = TextEncoders.Bag(tokenDimension: megabytes * 1_000_000 / 4 / Vocabulary),
                VocabularySize = Vocabulary,
                MinimumTokenCount = 1,
                NumberOfEpochs = 0,
            }).Fit(data);

            var model = Path.Combine(folder, "model.zip");
            var archive = Path.Combine(folder, "encoder.ssl");
            var save = new List<double>();
            var saveArchive = new List<double>();
            var children = new List<Dictionary<string, double>>();
            for (var i = 0; i < repeats; i++)
            {
                save.Add(Measure.Seconds(() => mlContext.Model.Save(encoder, data.Schema, model)));
                saveArchive.Add(Measure.Seconds(() => mlContext.SelfSupervised().SaveEncoder(encoder, archive)));
                children.Add(ChildProcess.Start("load-model", model));
            }
            var weights = new FileInfo(archive).Length / 1e6;
            results.Add("weights (encoder file)", weights, "MB");
            results.Add("Model.Save", Measure.Median(save), "s", MostSaveSeconds, lessIsBetter: true);
            results.Add("Model.Load + first row", Measure.Median(children.Select(c => c["seconds"])), "s", MostLoadSeconds,
                lessIsBetter: true);
            results.Add("peak memory that loading adds / weights",
                Measure.Median(children.Select(c => c["peak"] - c["before"])) * 1.048576 / weights, "times",
                MostTimesTheWeights, lessIsBetter: true);
            results.Add("peak memory of that process", Measure.Median(children.Select(c => c["peak"])), "MiB");
            results.Add("the same before loading", Measure.Median(children.Select(c => c["before"])), "MiB");
            results.Add("SaveEncoder", Measure.Median(saveArchive), "s");
            results.Note($"Reference is the limit that we set ourselves. Loading is timed in a fresh process, median of {repeats}; 'before' is .NET with libtorch loaded.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The child's side: loads a model and embeds one row.</summary>
    public static Dictionary<string, double> LoadAndScore(string path)
    {
        TorchSharp.torch.zeros(1).Dispose();                                            // the native library counts as start-up
        var before = Measure.ResidentMegabytes();
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var seconds = Measure.Seconds(() =>
        {
            var model = mlContext.Model.Load(path, out _);
            var engine = mlContext.Model.CreatePredictionEngine<TextRow, Embedding>(model);
            if (engine.Predict(new TextRow { Text = "bada kilo mera" }).Features.Length == 0)
                throw new InvalidOperationException("The loaded model gave no embedding.");
        });
        return new Dictionary<string, double> { ["seconds"] = seconds, ["before"] = before, ["peak"] = Measure.PeakMegabytes() };
    }

    private sealed class Embedding
    {
        public float[] Features { get; set; } = [];
    }
}
