using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>A masked language model gives a word another vector in another sense: "bank" beside water and beside money.</summary>
[TestClass]
public sealed class WordSenseTests
{
    // Measured: about 0 untrained, 0.5 to 1.7 trained, over four seeds; 2 is the most there can be.
    private const double Margin = 0.4;

    private const int Dimension = 32, MaximumTokens = 16, BatchSize = 64;

    private static readonly string[][] Senses =
    [
        ["water", "fish", "boat", "mud", "shore", "flow", "reed", "swim"],
        ["loan", "cash", "credit", "account", "teller", "cheque", "interest", "debt"],
    ];

    private static readonly string[] Fillers = ["the", "a", "near", "at", "was", "we", "old", "then"];

    [TestMethod]
    public void ContextsOfTheSameSenseEndUpCloser()
    {
        var random = new ShuffleRandom(7);
        string[] corpus = [.. Enumerable.Range(0, 2000).Select(i => Sentence(random, i % 2))];
        string[] heldOut = [.. Enumerable.Range(0, 60).Select(i => Sentence(random, i % 2))];
        var tokenizer = WordPieceTokenizer.Train(corpus);
        Assert.IsTrue(tokenizer.TryGetId("bank", out int bank));

        using var streams = new RandomStreams(7);
        using var encoder = TextEncoders.Transformer(numberOfLayers: 2, Dimension, numberOfHeads: 2, maximumTokens: MaximumTokens,
            dropout: 0)
            .Create(tokenizer.Vocabulary, streams);
        double before = Gap(encoder, tokenizer, heldOut, bank);

        var method = new MaskedLanguageModelTrainer.Method(encoder, tokenizer.Vocabulary, streams, new());
        var settings = new TrainingSettings { NumberOfEpochs = 12, BatchSize = BatchSize, LearningRate = 3e-3 };
        PretrainingLoop.Run(method, new TokenRowSource(corpus, tokenizer, MaximumTokens, BatchSize, streams.Shuffle), settings, streams,
            CPU);
        double after = Gap(encoder, tokenizer, heldOut, bank);

        Assert.AreEqual(0, before, 0.2, "the untrained encoder tells senses apart");
        Assert.IsTrue(after > before + Margin, $"gap {before:0.00} before, {after:0.00} after");
    }

    // Four words of the sense, three fillers and "bank", in random order.
    private static string Sentence(Random random, int sense)
    {
        string[] words =
        [
            .. Enumerable.Range(0, 4).Select(_ => Senses[sense][random.Next(Senses[sense].Length)]),
            .. Enumerable.Range(0, 3).Select(_ => Fillers[random.Next(Fillers.Length)]),
            "bank",
        ];
        random.Shuffle(words);
        return string.Join(' ', words);
    }

    // Mean cosine of the word's vectors within a sense less that across senses; the vectors are centered, because those of one word
    // have most of their direction in common.
    private static double Gap(TextEncoder encoder, WordPieceTokenizer tokenizer, string[] texts, int word)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        encoder.eval();
        var batch = TokenTexts.Of([.. texts.Select(text => tokenizer.Encode(text, MaximumTokens, addSpecialTokens: true)
            .Select(id => (long)id).ToArray())]);
        var places = batch.Ids.eq(word).reshape(-1).nonzero().squeeze(1);
        var vectors = encoder.EncodeTokens(batch).reshape(-1, Dimension).index_select(0, places);
        vectors = vectors - vectors.mean([0]);
        vectors = vectors / vectors.norm(1, keepdim: true);
        float[] cosines = vectors.mm(vectors.t()).data<float>().ToArray();
        encoder.train();
        var pairs = from i in Enumerable.Range(0, texts.Length) from j in Enumerable.Range(0, i) select (Same: i % 2 == j % 2,
            Cosine: cosines[i * texts.Length + j]);
        var bySense = pairs.ToLookup(pair => pair.Same, pair => (double)pair.Cosine);
        return bySense[true].Average() - bySense[false].Average();
    }
}
