using Ssl.Estimators.Encoders;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

[TestClass]
public sealed class TextMethodTests
{
    private static readonly TokenVocabulary Vocabulary = new(60, 0, 1, 2, 3, 4, 5);

    private static TextEncoder Bag(RandomStreams streams) => TextEncoders.Bag(6, 8, 10, 12, dropout: 0).Create(Vocabulary, streams);

    private static TextEncoder Transformer(RandomStreams streams, double dropout = 0)
        => TextEncoders.Transformer(numberOfLayers: 1, dimension: 8, numberOfHeads: 2, maximumTokens: 12, dropout: dropout)
            .Create(Vocabulary, streams);

    private static TokenBatch Texts(int rows, int seed) => TokenTexts.Random(rows, 12, Vocabulary, seed, specialTokens: true);

    [TestMethod]
    public void PairsWithoutAViewHaveTheLossOfTheirEmbeddings()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var encoder = Bag(streams);
        var method = new PairedContrastiveTrainer.Method(encoder, streams, new() { Temperature = 0.1f });
        TokenBatch first = Texts(9, 1), second = Texts(9, 2);
        var loss = method.Loss([first, second]);
        var expected = InfoNceLoss.Compute(encoder.call(first), encoder.call(second), 0.1);
        Assert.AreEqual(expected.item<float>(), loss.Total.item<float>(), 1e-6);
        CollectionAssert.AreEqual(new long[] { 9, 6 }, loss.Embeddings!.shape);
        Assert.IsFalse(loss.Embeddings.requires_grad);
    }

    [TestMethod]
    public void EveryMethodReachesAllItsParametersAndDetachesWhatItReports()
    {
        foreach (var create in Methods())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var method = create(streams);
            var batches = Enumerable.Range(0, method is PairedContrastiveTrainer.Method ? 2 : 1).Select(i => (Batch)Texts(30, i)).ToArray();
            var loss = method.Loss(batches);
            Assert.AreEqual(0, loss.Total.dim());
            Assert.IsFalse(loss.Terms.Any(term => term.Value.requires_grad), method.GetName());
            loss.Total.backward();
            foreach (var (name, parameter) in method.named_parameters())
                Assert.IsTrue(parameter.grad is { } grad && grad.abs().sum().item<float>() > 0, $"{method.GetName()}: {name}");
            if (loss.Embeddings is { } embeddings)
                CollectionAssert.AreEqual(new long[] { 30, method.Encoder.EmbeddingDimension }, embeddings.shape, method.GetName());
        }
    }

    [TestMethod]
    public void StepsFollowTheSeed()
    {
        foreach (var create in Methods())
        {
            using var scope = NewDisposeScope();
            float[] Losses(long seed)
            {
                using var streams = new RandomStreams(seed);
                using var method = create(streams);
                var batches = Enumerable.Range(0, method is PairedContrastiveTrainer.Method ? 2 : 1).Select(i => (Batch)Texts(20, i)).ToArray();
                return [.. Enumerable.Range(0, 3).Select(_ => method.Loss(batches).Total.item<float>())];
            }
            float[] losses = Losses(1);
            CollectionAssert.AreEqual(losses, Losses(1));
            CollectionAssert.AreNotEqual(losses, Losses(2));
            Assert.AreNotEqual(losses[0], losses[1], "every step draws anew");
        }
    }

    [TestMethod]
    public void AFreshMaskedModelGuessesNearlyEvenly()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var loss = new MaskedLanguageModelTrainer.Method(Transformer(streams), Vocabulary, streams, new()).Loss([Texts(200, 1)]);
        // Scores of unit variance cost half a nat above even guesses.
        Assert.AreEqual(Math.Log(Vocabulary.Size) + 0.5, loss.Total.item<float>(), 0.4);
    }

    [TestMethod]
    public void SimCseWithoutDropoutOrViewSeesTwins()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        // Every text is its own partner at similarity 1: all are found.
        var loss = new SimCseTrainer.Method(Transformer(streams), streams, new()).Loss([Texts(20, 1)]);
        Assert.AreEqual(1f, loss.Terms.Single(term => term.Name == "accuracy").Value.item<float>());
    }

    [TestMethod]
    public void TheHybridIsTheWeightedSumOfItsTerms()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var method = new ContrastiveMaskedTrainer.Method(Transformer(streams), Vocabulary, streams,
            new() { ContrastiveWeight = 0.5f, MaskedWeight = 2 }, new TokenDeletion(Vocabulary, 0.1));
        var loss = method.Loss([Texts(20, 1)]);
        var terms = loss.Terms.ToDictionary(term => term.Name, term => term.Value.item<float>());
        Assert.AreEqual(0.5 * terms["contrastive"] + 2 * terms["masked"], loss.Total.item<float>(), 1e-4);
        CollectionAssert.IsSubsetOf(new[] { "contrastive", "contrastive-accuracy", "masked", "masked-accuracy" }, terms.Keys);

        var contrastive = new ContrastiveMaskedTrainer.Method(Transformer(streams), Vocabulary, streams, new() { MaskedWeight = 0 },
            new TokenDeletion(Vocabulary, 0.1)).Loss([Texts(20, 1)]);
        Assert.IsFalse(contrastive.Terms.Any(term => term.Name.StartsWith("masked", StringComparison.Ordinal)));
        var masked = new ContrastiveMaskedTrainer.Method(Transformer(streams), Vocabulary, streams, new() { ContrastiveWeight = 0 },
            new TokenDeletion(Vocabulary, 0.1)).Loss([Texts(20, 1)]);
        Assert.IsNull(masked.Embeddings);
        Assert.IsFalse(masked.Terms.Any(term => term.Name.StartsWith("contrastive", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void OneRowAndOneTokenAreEnough()
    {
        foreach (var create in Methods())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var method = create(streams);
            var batches = Enumerable.Range(0, method is PairedContrastiveTrainer.Method ? 2 : 1).Select(_ => (Batch)TokenTexts.Of([[2, 10, 3]]))
                .ToArray();
            Assert.IsTrue(float.IsFinite(method.Loss(batches).Total.item<float>()), method.GetName());
        }
    }

    [TestMethod]
    public void WrongArgumentsAreRefused()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var bag = Bag(streams);
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(()
            => new MaskedLanguageModelTrainer.Method(bag, Vocabulary, streams, new())).Message,
            "TextEncoders.Transformer");
        Assert.Throws<ArgumentOutOfRangeException>(()
            => new ContrastiveMaskedTrainer.Method(bag, Vocabulary, streams, new(), new TokenDeletion(Vocabulary, 0.1)));
        var pairs = new PairedContrastiveTrainer.Method(bag, streams, new(), new TokenDeletion(Vocabulary, 0.2));
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => pairs.Loss([Texts(3, 1)])).Message, "trains on 2 columns, got 1");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => pairs.Loss([Texts(3, 1), new OtherBatch()])).Message, "OtherBatch");
    }

    private static IEnumerable<Func<RandomStreams, PretrainingMethod>> Methods()
    {
        yield return streams => new PairedContrastiveTrainer.Method(Bag(streams), streams, new(), new TokenDeletion(Vocabulary, 0.2));
        yield return streams => new SimCseTrainer.Method(Transformer(streams, 0.1), streams, new(), new TokenDeletion(Vocabulary, 0.2));
        yield return streams => new MaskedLanguageModelTrainer.Method(Transformer(streams), Vocabulary, streams, new());
        yield return streams => new ContrastiveMaskedTrainer.Method(Transformer(streams), Vocabulary, streams, new(),
            new TokenDeletion(Vocabulary, 0.1));
        yield return streams => new TsdaeTrainer.Method(Bag(streams), Vocabulary, streams, new());
        yield return streams => new SentencePermutationTrainer.Method(Transformer(streams), streams, new() { NumberOfDecoderLayers = 2 },
            new SentenceReordering(Vocabulary, [10, 20, 30, 40]));
    }

    private sealed class OtherBatch : Batch
    {
        public override long Count => 3;

        public override Batch To(Device device) => this;

        public override void Dispose()
        {
        }
    }
}
