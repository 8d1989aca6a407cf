using Ssl.Estimators.Encoders;
using Ssl.Estimators.Methods;
using Ssl.Estimators.Objectives;
using Ssl.Estimators.Randomness;
using TorchSharp;
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
        var method = new PairedContrastive(encoder, streams, view: null, temperature: 0.1);
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
            var batches = Enumerable.Range(0, method is PairedContrastive ? 2 : 1).Select(i => (Batch)Texts(30, i)).ToArray();
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
                var batches = Enumerable.Range(0, method is PairedContrastive ? 2 : 1).Select(i => (Batch)Texts(20, i)).ToArray();
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
        var loss = new MaskedLanguageModel(Transformer(streams), Vocabulary, streams).Loss([Texts(200, 1)]);
        // Scores of unit variance cost half a nat above even guesses.
        Assert.AreEqual(Math.Log(Vocabulary.Size) + 0.5, loss.Total.item<float>(), 0.4);
    }

    [TestMethod]
    public void SimCseWithoutDropoutOrViewSeesTwins()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        // Every text is its own partner at similarity 1: all are found.
        var loss = new SimCse(Transformer(streams), streams, view: null).Loss([Texts(20, 1)]);
        Assert.AreEqual(1f, loss.Terms.Single(term => term.Name == "accuracy").Value.item<float>());
    }

    [TestMethod]
    public void TheHybridIsTheWeightedSumOfItsTerms()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var method = new ContrastiveMasked(Transformer(streams), Vocabulary, streams, contrastiveWeight: 0.5, maskedWeight: 2);
        var loss = method.Loss([Texts(20, 1)]);
        var terms = loss.Terms.ToDictionary(term => term.Name, term => term.Value.item<float>());
        Assert.AreEqual(0.5 * terms["contrastive"] + 2 * terms["masked"], loss.Total.item<float>(), 1e-4);
        CollectionAssert.IsSubsetOf(new[] { "contrastive", "contrastive-accuracy", "masked", "masked-accuracy" }, terms.Keys);

        var contrastive = new ContrastiveMasked(Transformer(streams), Vocabulary, streams, maskedWeight: 0).Loss([Texts(20, 1)]);
        Assert.IsFalse(contrastive.Terms.Any(term => term.Name.StartsWith("masked", StringComparison.Ordinal)));
        var masked = new ContrastiveMasked(Transformer(streams), Vocabulary, streams, contrastiveWeight: 0).Loss([Texts(20, 1)]);
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
            var batches = Enumerable.Range(0, method is PairedContrastive ? 2 : 1).Select(_ => (Batch)TokenTexts.Of([[2, 10, 3]]))
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
        StringAssert.Contains(Assert.Throws<ArgumentOutOfRangeException>(() => new MaskedLanguageModel(bag, Vocabulary, streams)).Message,
            "TextEncoders.Transformer");
        Assert.Throws<ArgumentOutOfRangeException>(() => new ContrastiveMasked(bag, Vocabulary, streams));
        Assert.Throws<ArgumentOutOfRangeException>(() => new PairedContrastive(bag, Vocabulary, streams, temperature: 0));
        var hybrid = Assert.Throws<ArgumentOutOfRangeException>(
            () => new ContrastiveMasked(Transformer(streams), Vocabulary, streams, temperature: -1, contrastiveWeight: 0, maskedWeight: 0));
        StringAssert.Contains(hybrid.Message, "temperature must be greater than 0, got -1.");
        StringAssert.Contains(hybrid.Message, "maskedWeight must not be 0 together with contrastiveWeight");
        var pairs = new PairedContrastive(bag, Vocabulary, streams);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => pairs.Loss([Texts(3, 1)])).Message, "trains on 2 columns, got 1");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => pairs.Loss([Texts(3, 1), new OtherBatch()])).Message, "OtherBatch");
    }

    private static IEnumerable<Func<RandomStreams, PretrainingMethod>> Methods()
    {
        yield return streams => new PairedContrastive(Bag(streams), Vocabulary, streams);
        yield return streams => new SimCse(Transformer(streams, 0.1), Vocabulary, streams, tokenDeletion: 0.2);
        yield return streams => new MaskedLanguageModel(Transformer(streams), Vocabulary, streams);
        yield return streams => new ContrastiveMasked(Transformer(streams), Vocabulary, streams);
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
