using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.MLNet;
using TorchSharp;

namespace Ssl.Bench;

/// <summary>What Transform costs beside the network: rows a second against the bare forward on ready-made batches.</summary>
public sealed class TransformSpeed : BenchCase
{
    private const int BatchSize = 256, VocabularySize = 8000;

    /// <inheritdoc/>
    public override string Name => "transform-speed";

    /// <inheritdoc/>
    public override int Minutes => 6;

    /// <inheritdoc/>
    public override string Description => "rows/s of Transform over 50,000 rows against the bare forward on the same batches";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var rows = settings.Quick ? 5_000 : 50_000;
        var repeats = settings.Quick ? 1 : 3;
        var texts = BenchText.Synthetic(rows, words: 40, BenchResults.Seed).ToArray();
        Compare("transformer, dim 128, 2 layers",
            TextEncoders.Transformer(dimension: 128, numberOfLayers: 2, numberOfHeads: 2, maximumTokens: 64), texts, repeats, results);
        Compare("bag of tokens", TextEncoders.Bag(), texts, repeats, results);
        results.Note($"{rows:N0} made-up texts of 20 to 40 words, batches of {BatchSize} in row order; Transform tokenizes, the bare forward gets tensors. Sides interleaved, median of {repeats}.");
    }

    private static void Compare(string name, TextEncoderFactory factory, string[] texts, int repeats, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var data = mlContext.Data.LoadFromEnumerable(texts.Select(text => new TextRow { Text = text }).ToArray());
        var tokenizer = WordPieceTokenizer.Train(texts, new WordPieceTokenizer.Options { VocabularySize = VocabularySize });
        using var transformer = mlContext.SelfSupervised().Text.SimCse(new SimCseTrainer.Options
        {
            Encoder = factory, Tokenizer = tokenizer, NumberOfEpochs = 0,
        }).Fit(data);

        // The same network with other weights: they do not change the speed.
        using var streams = new RandomStreams(BenchResults.Seed);
        using var network = factory.Create(tokenizer.Vocabulary, streams);
        network.eval();
        var batches = texts.Chunk(BatchSize).Select(chunk => MakeBatch(chunk, tokenizer, factory)).ToArray();

        var transform = new List<double>();
        var bare = new List<double>();
        for (var i = 0; i <= repeats; i++)
        {
            var forwardSeconds = Measure.Seconds(() => Forward(network, batches));
            var transformSeconds = Measure.Seconds(() => ReadAll(transformer.Transform(data), transformer.OutputColumnName));
            if (i == 0)
                continue;                                                               // warm-up
            bare.Add(texts.Length / forwardSeconds);
            transform.Add(texts.Length / transformSeconds);
        }
        results.Add($"{name}", Measure.Median(transform), "rows/s", Measure.Median(bare));
        foreach (var batch in batches)
            batch.Dispose();
    }

    internal static TokenBatch MakeBatch(string[] texts, WordPieceTokenizer tokenizer, TextEncoderFactory factory)
    {
        var tokens = texts.Select(text =>
        {
            var list = new List<int>();
            tokenizer.Encode(text, list, factory.MaximumTokens, factory.UsesSpecialTokens);
            return list;
        }).ToArray();
        var longest = tokens.Max(list => list.Count);
        var ids = new long[tokens.Length * longest];
        var mask = new bool[ids.Length];
        Array.Fill(ids, tokenizer.Vocabulary.PaddingId);
        for (var i = 0; i < tokens.Length; i++)
            for (var j = 0; j < tokens[i].Count; j++)
                (ids[i * longest + j], mask[i * longest + j]) = (tokens[i][j], true);
        return new TokenBatch(torch.tensor(ids, [tokens.Length, longest]), torch.tensor(mask, [tokens.Length, longest]));
    }

    private static void Forward(TextEncoder network, TokenBatch[] batches)
    {
        using var noGradient = torch.no_grad();
        foreach (var batch in batches)
        {
            using var scope = torch.NewDisposeScope();
            network.forward(batch);
        }
    }

    internal static void ReadAll(IDataView data, string column)
    {
        var features = data.Schema[column];
        using var cursor = data.GetRowCursor([features]);
        var getter = cursor.GetGetter<VBuffer<float>>(features);
        VBuffer<float> value = default;
        while (cursor.MoveNext())
            getter(ref value);
    }
}
