using System.Runtime.InteropServices;
using Quickstart;
using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>
/// Share of hidden tokens that a masked language model with the trainer's defaults tells right on texts it has not seen, against
/// always saying the most frequent token, and against the most frequent successor of the token before.
/// </summary>
public sealed class MaskedLanguageModelQuality : BenchCase
{
    private const int VocabularySize = 4000, HeldOut = 2000;

    /// <inheritdoc/>
    public override string Name => "mlm-quality";

    /// <inheritdoc/>
    public override int Minutes => 6;

    /// <inheritdoc/>
    public override string Description => "hidden tokens told right on held-out .NET summaries, against unigram and bigram guesses";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var split = Corpus.Create("the .NET reference documentation", ReferenceDocumentation.Read(ReferenceDocumentation.FindSdk()),
            HeldOut,
            settings.Quick ? 5000 : int.MaxValue, BenchResults.Seed);
        string[] corpus = [.. split.Training.Select(document => document.Text)],
            heldOut = [.. split.HeldOut.Select(document => document.Text)];
        var tokenizer = WordPieceTokenizer.Train(corpus, new WordPieceTokenizer.Options { VocabularySize = VocabularySize });
        var defaults = new MaskedLanguageModelTrainer.Options();
        var epochs = settings.Quick ? 1 : defaults.NumberOfEpochs;

        var factory = TextEncoders.Transformer();
        var rows = corpus.Select(text => Ids(tokenizer, text, factory.MaximumTokens)).ToArray();
        using var streams = new RandomStreams(BenchResults.Seed);
        using var encoder = factory.Create(tokenizer.Vocabulary, streams);
        using var method = new MaskedLanguageModelTrainer.Method(encoder, tokenizer.Vocabulary, streams,
            new() { MaskRatio = defaults.MaskRatio });
        var source = new RowSource([.. rows], defaults.BatchSize, tokenizer.Vocabulary.PaddingId, streams.Shuffle);
        var result = PretrainingLoop.Run(method, source, new TrainingSettings
        {
            NumberOfEpochs = epochs,
            BatchSize = defaults.BatchSize,
            LearningRate = defaults.EffectiveLearningRate,
            WeightDecay = defaults.WeightDecay,
            WarmupFraction = defaults.WarmupFraction,
            GradientClipNorm = defaults.GradientClipNorm,
        }, streams, CPU, new TrainingReporter(Info: Console.WriteLine));

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var masks = new RandomStreams(BenchResults.Seed + 1);
        var masker = new TokenMasker(tokenizer.Vocabulary, defaults.MaskRatio);
        var guesses = new Guesses(rows, tokenizer.Vocabulary);
        var counts = heldOut.Chunk(defaults.BatchSize).Select(chunk =>
        {
            var batch = ToBatch([.. chunk.Select(text => Ids(tokenizer, text, factory.MaximumTokens))], tokenizer.Vocabulary.PaddingId);
            var masked = masker.Apply(batch, masks.Masks);
            var right = method.Predict(masked).argmax(1).eq(masked.Targets).sum().item<long>();
            var (unigram, bigram) = guesses.Right(batch, masked);
            return (All: masked.Targets.shape[0], Right: right, Unigram: unigram, Bigram: bigram);
        }).ToArray();
        double all = counts.Sum(count => count.All), bigramGuess = counts.Sum(count => count.Bigram) / all;
        results.Add("accuracy", counts.Sum(count => count.Right) / all, "share", bigramGuess);
        results.Add("accuracy, most frequent token", counts.Sum(count => count.Unigram) / all, "share");
        results.Add("accuracy, most frequent successor", bigramGuess, "share");
        results.Add("training", result.Elapsed.TotalSeconds, "s");
        results.Note($"{corpus.Length:N0} summaries of the .NET reference documentation, {heldOut.Length:N0} others held out at random; vocabulary {VocabularySize:N0}, "
            + $"TextEncoders.Transformer() of 2 layers and width 128, {epochs} epochs, batch {defaults.BatchSize}, learning rate {defaults.EffectiveLearningRate}.");
        results.Note("The reference is the bigram guess, which sees the token before even where that is hidden from the model.");
    }

    private static long[] Ids(WordPieceTokenizer tokenizer, string text, int maximum)
        => [.. tokenizer.Encode(text, maximum, addSpecialTokens: true).Select(id => (long)id)];

    private static TokenBatch ToBatch(long[][] rows, long padding)
    {
        var length = rows.Max(row => row.Length);
        var ids = new long[rows.Length * length];
        var mask = new bool[ids.Length];
        Array.Fill(ids, padding);
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i].CopyTo(ids, i * length);
            mask.AsSpan(i * length, rows[i].Length).Fill(true);
        }
        return new TokenBatch(tensor(ids, [rows.Length, length]), tensor(mask, [rows.Length, length]));
    }

    /// <summary>What can be guessed of a hidden token without a model.</summary>
    private sealed class Guesses
    {
        private readonly long _mostFrequent;
        private readonly Dictionary<long, long> _successors;

        public Guesses(long[][] corpus, TokenVocabulary vocabulary)
        {
            _mostFrequent = corpus.SelectMany(text => text).Where(id => id >= vocabulary.SpecialCount).CountBy(id => id)
                .MaxBy(count => count.Value).Key;
            _successors = corpus.SelectMany(text => text.Zip(text.Skip(1))).Where(pair => pair.Second >= vocabulary.SpecialCount)
                .CountBy(pair => pair)
                .GroupBy(count => count.Key.First).ToDictionary(group => group.Key, group => group.MaxBy(count => count.Value).Key.Second);
        }

        /// <summary>Hidden tokens that are the most frequent one, and those that most often follow the token before.</summary>
        public (int Unigram, int Bigram) Right(TokenBatch batch, MaskedTokens masked)
        {
            var ids = MemoryMarshal.Cast<byte, long>(batch.Ids.bytes).ToArray();
            var positions = MemoryMarshal.Cast<byte, long>(masked.Positions.bytes).ToArray();
            return (positions.Count(p => ids[p] == _mostFrequent),
                positions.Count(p => _successors.GetValueOrDefault(ids[p - 1]) == ids[p]));
        }
    }

    /// <summary>Shuffled batches of rows in memory.</summary>
    private sealed class RowSource(long[][] rows, int batchSize, long padding, Random shuffle) : IBatchSource
    {
        public long? RowCount => rows.Length;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
        {
            shuffle.Shuffle(rows);
            return rows.Chunk(batchSize).Select(chunk => (IReadOnlyList<Batch>)[ToBatch(chunk, padding)]);
        }
    }
}
