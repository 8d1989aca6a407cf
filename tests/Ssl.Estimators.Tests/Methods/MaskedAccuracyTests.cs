using Ssl.Estimators.Encoders;
using Ssl.Estimators.Masking;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>
/// On held-out sentences a masked language model beats guessing the most frequent token, and guessing from the token before: the text
/// has bonds across a distance, which only a model that reads the whole sentence can use.
/// </summary>
[TestClass]
public sealed class MaskedAccuracyTests
{
    private const int MaximumTokens = 16, BatchSize = 64;

    private static readonly string[] Adjectives = ["big", "small", "old", "young", "brown", "black", "quick", "lazy"];

    // What stands behind the place depends on the animal before it, and the time on the place.
    private static readonly (string Animal, string Sound)[] Animals =
        [("cat", "meows"), ("dog", "barks"), ("cow", "moos"), ("horse", "neighs"), ("lion", "roars"), ("frog", "croaks"),
            ("duck", "quacks"), ("wolf", "howls")];

    private static readonly (string Place, string Time)[] Places =
        [("garden", "noon"), ("street", "dawn"), ("forest", "midnight"), ("valley", "dusk"), ("kitchen", "breakfast"), ("field", "sunset")];

    [TestMethod]
    public void TheModelBeatsUnigramAndBigram()
    {
        var random = new ShuffleRandom(11);
        string[] corpus = [.. Enumerable.Range(0, 2400).Select(_ => Sentence(random))];
        // Sentences that never occurred in training.
        string[] heldOut = [.. Enumerable.Range(0, 4000).Select(_ => Sentence(random)).Distinct().Except(corpus)];
        var tokenizer = WordPieceTokenizer.Train(corpus);
        using var streams = new RandomStreams(11);
        using var encoder = TextEncoders.Transformer(numberOfLayers: 1, dimension: 32, numberOfHeads: 2, maximumTokens: MaximumTokens,
            dropout: 0)
            .Create(tokenizer.Vocabulary, streams);
        var method = new MaskedLanguageModelTrainer.Method(encoder, tokenizer.Vocabulary, streams, new());
        var source = new TokenRowSource(corpus, tokenizer, MaximumTokens, BatchSize, streams.Shuffle);
        PretrainingLoop.Run(method, source, new TrainingSettings { NumberOfEpochs = 16, BatchSize = BatchSize, LearningRate = 5e-3 },
            streams, CPU);

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        method.eval();
        var batch = TokenTexts.Of([.. heldOut.Select(text => Ids(tokenizer, text))]);
        var masked = new TokenMasker(tokenizer.Vocabulary).Apply(batch, streams.Masks);
        double model = method.Predict(masked).argmax(1).eq(masked.Targets).to(ScalarType.Float32).mean().item<float>();
        var (unigram, bigram) = Guesses([.. corpus.Select(text => Ids(tokenizer, text))], batch, masked, tokenizer.Vocabulary);

        Assert.IsTrue(heldOut.Length > 50, $"{heldOut.Length} sentences");
        Assert.IsTrue(model > 2 * unigram, $"model {model:0.000}, unigram {unigram:0.000}");
        Assert.IsTrue(model > bigram + 0.15, $"model {model:0.000}, bigram {bigram:0.000}");
    }

    private static string Sentence(Random random)
    {
        var (animal, sound) = Animals[random.Next(Animals.Length)];
        var (place, time) = Places[random.Next(Places.Length)];
        string Adjective() => Adjectives[random.Next(Adjectives.Length)];
        return $"the {Adjective()} {animal} in the {Adjective()} {place} {sound} at {time}";
    }

    private static long[] Ids(WordPieceTokenizer tokenizer, string text)
        => [.. tokenizer.Encode(text, MaximumTokens, addSpecialTokens: true).Select(id => (long)id)];

    // How often the most frequent token is right, and how often the most frequent successor of the token before, which is not hidden from
    // it.
    private static (double Unigram, double Bigram) Guesses(long[][] corpus, TokenBatch heldOut, MaskedTokens masked,
        TokenVocabulary vocabulary)
    {
        long mostFrequent = corpus.SelectMany(text => text).Where(id => id >= vocabulary.SpecialCount).GroupBy(id => id)
            .MaxBy(group => group.Count())!.Key;
        var successors = corpus.SelectMany(text => text.Zip(text.Skip(1))).Where(pair => pair.Second >= vocabulary.SpecialCount)
            .GroupBy(pair => pair.First)
            .ToDictionary(group => group.Key, group => group.GroupBy(pair => pair.Second).MaxBy(next => next.Count())!.Key);
        long[] ids = heldOut.Ids.reshape(-1).data<long>().ToArray();
        long[] positions = masked.Positions.data<long>().ToArray();
        return (positions.Average(p => ids[p] == mostFrequent ? 1.0 : 0),
            positions.Average(p => successors.GetValueOrDefault(ids[p - 1]) == ids[p] ? 1.0 : 0));
    }
}
