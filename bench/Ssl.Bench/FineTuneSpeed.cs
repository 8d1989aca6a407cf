using System.Diagnostics;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.MLNet;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>
/// A step of fine-tuning against the bare step of the same network: forward, loss, backward, clipping, AdamW of the package.
/// </summary>
public sealed class FineTuneSpeed : BenchCase
{
    private const int BatchSize = 32, Classes = 20;

    /// <inheritdoc/>
    public override string Name => "finetune-speed";

    /// <inheritdoc/>
    public override int Minutes => 3;

    /// <inheritdoc/>
    public override string Description => "steps/s of fine-tuning against the bare training step of the same network";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (rows, epochs, repeats) = settings.Quick ? (640, 2, 1) : (1_920, 3, 3);
        var texts = BenchText.Synthetic(rows, words: 24, BenchResults.Seed).ToArray();
        Compare("transformer, dim 128, 2 layers", TextEncoders.Transformer(dropout: 0), texts, epochs, repeats, results);
        Compare("bag of tokens", TextEncoders.Bag(dropout: 0), texts, epochs, repeats, results);
        results.Note($"{rows:N0} made-up texts of 12 to 24 words, {Classes} classes, batch {BatchSize}, vocabulary 4,000, no dropout; fine-tuning reads "
            + "its own rows and prepares its batches (shuffled, padded), the bare step gets ready tensors on torch.optim.AdamW. The first epoch is "
            + $"left out. Sides interleaved, median of {repeats}.");
    }

    private static void Compare(string name, TextEncoderFactory factory, string[] texts, int epochs, int repeats, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var tokenizer = WordPieceTokenizer.Train(texts, new WordPieceTokenizer.Options { VocabularySize = 4_000 });
        var rows = mlContext.Data.LoadFromEnumerable(texts.Select((text, i) => new LabeledText { Text = text, Label = $"{i % Classes}" })
            .ToArray());
        using var encoder = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = factory, Tokenizer = tokenizer, NumberOfEpochs = 0,
        }).Fit(rows);
        var keys = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(rows).Transform(rows);
        var batches = texts.Chunk(BatchSize).Select(chunk => TransformSpeed.MakeBatch(chunk, tokenizer, factory)).ToArray();
        List<double> ours = [], bare = [];
        for (var i = 0; i < repeats; i++)
        {
            bare.Add(Bare(factory, tokenizer, batches, epochs));
            ours.Add(Tune(mlContext, encoder, keys, texts.Length / BatchSize, epochs));
        }
        results.Add(name, Measure.Median(ours), "steps/s", Measure.Median(bare));
        foreach (var batch in batches)
            batch.Dispose();
    }

    private static double Tune(MLContext mlContext, EncoderTransformer encoder, IDataView rows, int steps,
        int epochs)
    {
        var ends = new List<TimeSpan>();
        using var model = mlContext.SelfSupervised().FineTune.MulticlassClassification(new MulticlassFineTuningTrainer.Options
        {
            Encoder = encoder, BatchSize = BatchSize, NumberOfEpochs = epochs + 1, Seed = BenchResults.Seed,
            Progress = new EpochEnds(ends),
        }).Fit(rows);
        return steps * epochs / (ends[^1] - ends[0]).TotalSeconds;
    }

    private static double Bare(TextEncoderFactory factory, WordPieceTokenizer tokenizer, TokenBatch[] batches, int epochs)
    {
        using var streams = new RandomStreams(BenchResults.Seed);
        using var network = factory.Create(tokenizer.Vocabulary, streams);
        using var head = nn.Linear(factory.EmbeddingDimension, Classes);
        Parameter[] parameters = [.. network.parameters(), .. head.parameters()];
        using var optimizer = optim.AdamW(parameters, 1e-3, weight_decay: 0.01);
        var labels = Enumerable.Range(0, BatchSize).Select(i => (long)i % Classes).ToArray();
        network.train();
        var watch = new Stopwatch();
        var steps = 0;
        for (var epoch = 0; epoch <= epochs; epoch++)
        {
            if (epoch == 1)
                watch.Start();
            foreach (var batch in batches)
            {
                using var scope = NewDisposeScope();
                var loss = nn.functional.cross_entropy(head.call(network.call(batch)), tensor(labels[..(int)batch.Count]));
                loss.backward();
                nn.utils.clip_grad_norm_(parameters, 1);
                optimizer.step();
                optimizer.zero_grad();
                if (epoch > 0)
                    steps++;
            }
        }
        return steps / watch.Elapsed.TotalSeconds;
    }

    private sealed class EpochEnds(List<TimeSpan> ends) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value)
        {
            if (value.EpochCompleted)
                ends.Add(value.Elapsed);
        }
    }
}
