using Microsoft.ML;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Saving and loading a model with 98 MB of weights through <c>mlContext.Model</c> and as an encoder file.</summary>
public sealed class Saving : BenchCase
{
    private const double MostSaveSeconds = 1.5, MostLoadSeconds = 2, MostFirstPredictionSeconds = 0.3, MostTimesTheWeights = 2.5;

    /// <inheritdoc/>
    public override string Name => "saving";

    /// <inheritdoc/>
    public override int Minutes => 2;

    /// <inheritdoc/>
    public override string Description
        => "Model.Save, Model.Load, first row, scoring before and after, and peak memory with 98 MB of weights";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var repeats = settings.Quick ? 1 : 5;
        var folder = Directory.CreateTempSubdirectory("ssl-bench-").FullName;
        try
        {
            var mlContext = new MLContext(seed: BenchResults.Seed);
            var data = mlContext.Data.LoadFromEnumerable(BenchText.Synthetic(settings.Quick ? 2_000 : 20_000, 20, BenchResults.Seed)
                .Select(text => new TextRow { Text = text, Pair = text }));
            // Almost all weights are token vectors: 4 bytes x vocabulary x dimension.
            using var encoder = mlContext.SelfSupervised().Text.PairedContrastive(new PairedContrastiveTrainer.Options
            {
                Encoder = TextEncoders.Bag(tokenDimension: settings.Quick ? 374 : 3_740),
                VocabularySize = 6_000,
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
            using var loaded = (IDisposable)mlContext.Model.Load(model, out _);
            var (before, after) = (new List<double>(), new List<double>());
            for (var i = 0; i < repeats; i++)
            {
                before.Add(Score(mlContext, encoder, data));
                after.Add(Score(mlContext, (ITransformer)loaded, data));
            }

            double Child(Func<Dictionary<string, double>, double> figure) => Measure.Median(children.Select(figure));
            var weights = new FileInfo(archive).Length / 1e6;
            results.Add("weights (encoder file)", weights, "MB");
            results.Add("model file", new FileInfo(model).Length / 1e6, "MB");
            results.Add("Model.Save", Measure.Median(save), "s", MostSaveSeconds, lessIsBetter: true);
            results.Add("Model.Load", Child(c => c["load"]), "s", MostLoadSeconds, lessIsBetter: true);
            results.Add("first prediction after it", Child(c => c["first"]), "s", MostFirstPredictionSeconds, lessIsBetter: true);
            results.Add("scoring after loading, texts/s", 1 / Measure.Median(after), "texts/s", 1 / Measure.Median(before));
            results.Add("peak memory that loading adds / weights", Child(c => c["peak"] - c["before"]) * 1.048576 / weights, "times",
                MostTimesTheWeights, lessIsBetter: true);
            results.Add("peak memory of that process", Child(c => c["peak"]), "MiB");
            results.Add("the same before loading", Child(c => c["before"]), "MiB");
            results.Add("SaveEncoder", Measure.Median(saveArchive), "s");
            results.Note("Reference is the limit that we set ourselves; of scoring, the encoder before it was saved, sides interleaved.");
            results.Note($"Loading is timed in a fresh process, median of {repeats}; 'before' is .NET with libtorch loaded.");
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
        ITransformer? model = null;
        var load = Measure.Seconds(() => model = mlContext.Model.Load(path, out _));
        var first = Measure.Seconds(() =>
        {
            var engine = mlContext.Model.CreatePredictionEngine<TextRow, Embedding>(model);
            if (engine.Predict(new TextRow { Text = "bada kilo mera" }).Features.Length == 0)
                throw new InvalidOperationException("The loaded model gave no embedding.");
        });
        var peak = Measure.PeakMegabytes();
        return new Dictionary<string, double> { ["load"] = load, ["first"] = first, ["before"] = before, ["peak"] = peak };
    }

    // Seconds a text.
    private static double Score(MLContext mlContext, ITransformer model, IDataView data)
    {
        var rows = 0;
        var seconds = Measure.Seconds(() =>
            rows = mlContext.Data.CreateEnumerable<Embedding>(model.Transform(data), reuseRowObject: true).Count());
        return seconds / rows;
    }

    private sealed class Embedding
    {
        public float[] Features { get; set; } = [];
    }
}
