using Microsoft.ML;
using Microsoft.ML.Trainers;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>What a trainer of many passes costs on a lazy embedding, beside the same with everything cached in between.</summary>
public sealed class ManyPasses : BenchCase
{
    /// <inheritdoc/>
    public override string Name => "many-passes";

    /// <inheritdoc/>
    public override int Minutes => 8;

    /// <inheritdoc/>
    public override string Description => "Fit of embedding and Sdca on 20,000 texts against the same with AppendCacheCheckpoint";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (rows, repeats) = settings.Quick ? (2_000, 1) : (20_000, 5);
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var warnings = 0;
        mlContext.Log += (_, e) => warnings += e.Message.Contains("EmbeddingMemoryLimit", StringComparison.Ordinal) ? 1 : 0;
        var ssl = mlContext.SelfSupervised();
        var texts = BenchText.Synthetic(rows, words: 40, BenchResults.Seed).ToArray();
        // Classes that the texts decide, so that the trainer has something to find and works as long as it would on other data.
        var data = mlContext.Data.LoadFromEnumerable(texts.Select(text => new Labeled
        {
            Text = text, Label = text.Split(' ').Count(word => word.Length <= 2) % 2 == 0,
        }).ToArray());
        using var encoder = ssl.Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = TextEncoders.Transformer(dimension: 128, numberOfLayers: 2, numberOfHeads: 2, maximumTokens: 64),
            VocabularySize = 8_000, NumberOfEpochs = 0,
        }).Fit(data);

        IEstimator<ITransformer> Trainer() => mlContext.BinaryClassification.Trainers.SdcaLogisticRegression(
            new SdcaLogisticRegressionBinaryTrainer.Options { NumberOfThreads = 1 });
        var bare = ssl.Embed(encoder).Append(Trainer());
        var cached = ssl.Embed(encoder).AppendCacheCheckpoint(mlContext).Append(Trainer());
        var (ours, reference) = (new List<double>(), new List<double>());
        for (var i = 0; i <= repeats; i++)
        {
            var (first, second) = (Seconds(bare, data), Seconds(cached, data));
            if (i == 0 && !settings.Quick)
                continue;                                                           // warm-up
            ours.Add(first);
            reference.Add(second);
        }
        results.Add("embedding, Sdca", Measure.Median(ours), "s", Measure.Median(reference), lessIsBetter: true);
        results.Note($"{rows:N0} made-up texts of 20 to 40 words; a text transformer of 2 layers, 128 numbers a row; SdcaLogisticRegression "
            + $"with its defaults, one thread. Reference: AppendCacheCheckpoint between the two. Sides interleaved, median of {ours.Count}. "
            + $"Warnings of rows that were not kept: {warnings}.");
    }

    private static double Seconds(IEstimator<ITransformer> chain, IDataView data) => Measure.Seconds(() => ((IDisposable)chain.Fit(data)).Dispose());

    private sealed class Labeled
    {
        public string Text { get; set; } = "";

        public bool Label { get; set; }
    }
}
