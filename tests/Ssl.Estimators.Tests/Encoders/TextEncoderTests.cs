using System.Text.Json.Nodes;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders;

[TestClass]
public sealed class TextEncoderTests
{
    private static readonly TokenVocabulary Vocabulary = new(60, 0, 1, 2, 3, 4, 5);

    private static TextEncoderFactory[] Factories() =>
    [
        TextEncoders.Bag(embeddingDimension: 6, tokenDimension: 8, hiddenDimension: 10, maximumTokens: 12, dropout: 0.3),
        TextEncoders.Transformer(numberOfLayers: 2, dimension: 8, numberOfHeads: 2, maximumTokens: 12, dropout: 0.3),
        TextEncoders.Transformer(numberOfLayers: 1, dimension: 6, numberOfHeads: 3, maximumTokens: 12, pooling: TextPooling.Class),
    ];

    [TestMethod]
    public void EmbeddingsHaveTheStatedShape()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(Vocabulary, streams);
            var batch = TokenTexts.Random(7, 12, Vocabulary, seed: 2, factory.UsesSpecialTokens);
            CollectionAssert.AreEqual(new long[] { 7, factory.EmbeddingDimension }, encoder.call(batch).shape);
            CollectionAssert.AreEqual(new long[] { 7, batch.Ids.shape[1], encoder.TokenDimension }, encoder.EncodeTokens(batch).shape);
            CollectionAssert.AreEqual(new long[] { Vocabulary.Size, encoder.TokenDimension }, encoder.TokenEmbeddings.shape);
        }
    }

    [TestMethod]
    public void PaddingAndCompanyDoNotChangeAnEmbedding()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(Vocabulary, streams);
            encoder.eval();
            var together = encoder.call(TokenTexts.Of([2, 10, 11, 3], [2, 20, 21, 22, 23, 24, 25, 3]));
            AssertClose(encoder.call(TokenTexts.Of([[2, 10, 11, 3]])), together.narrow(0, 0, 1), 1e-5);
            // What stands in padded places means nothing.
            var batch = TokenTexts.Of([2, 10, 11, 3], [2, 20, 21, 22, 23, 24, 25, 3]);
            var other = new TokenBatch(batch.Ids.masked_fill(batch.Mask.logical_not(), 33), batch.Mask);
            AssertClose(encoder.call(other), together, 1e-5);
        }
    }

    [TestMethod]
    public void TheBagIsTheMlpOfTheMeanOfItsWords()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = Factories()[0].Create(Vocabulary, streams);
        encoder.eval();
        var weights = encoder.state_dict();
        var words = weights["word_embeddings.weight"];
        // Special tokens do not count: 2 and 3 are left out.
        var mean = (words[10] + words[11] + words[10]) / 3;
        var normed = (mean - mean.mean()) / (mean - mean.mean()).square().mean().add(1e-5).sqrt();
        var hidden = nn.functional.gelu(weights["hidden.weight"].matmul(normed * weights["layer_norm.weight"] + weights["layer_norm.bias"])
            + weights["hidden.bias"]);
        var expected = weights["output.weight"].matmul(hidden) + weights["output.bias"];
        AssertClose(expected.unsqueeze(0), encoder.call(TokenTexts.Of([[2, 10, 11, 10, 3]])), 1e-5);
        Assert.IsFalse(encoder.IsContextual);
    }

    [TestMethod]
    public void ATextOfSpecialTokensOnlyStillHasAnEmbedding()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(Vocabulary, streams);
            encoder.eval();
            Assert.IsTrue(encoder.call(TokenTexts.Of([1], [10, 11])).isfinite().all().item<bool>());
        }
    }

    [TestMethod]
    public void TheTransformerSeesOrderAndContext()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = Factories()[1].Create(Vocabulary, streams);
        encoder.eval();
        Assert.IsTrue(encoder.IsContextual);
        var tokens = encoder.EncodeTokens(TokenTexts.Of([2, 10, 11, 3], [2, 11, 10, 3], [2, 10, 12, 3]));
        Assert.IsTrue((tokens[0, 1] - tokens[2, 1]).abs().max().item<float>() > 1e-4f, "the same word in another company");
        var pooled = encoder.call(TokenTexts.Of([2, 10, 11, 3], [2, 11, 10, 3]));
        Assert.IsTrue((pooled[0] - pooled[1]).abs().max().item<float>() > 1e-5f, "the same words in another order");
    }

    [TestMethod]
    public void PoolingIsTheMeanOrTheClassToken()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var batch = TokenTexts.Of([2, 10, 11, 3], [2, 20, 3]);
        using var mean = Factories()[1].Create(Vocabulary, streams);
        mean.eval();
        var tokens = mean.EncodeTokens(batch);
        AssertClose(stack([tokens[0].mean([0]), tokens[1].narrow(0, 0, 3).mean([0])]), mean.call(batch), 1e-5);
        using var first = Factories()[2].Create(Vocabulary, streams);
        first.eval();
        AssertClose(first.EncodeTokens(batch).select(1, 0), first.call(batch), 1e-6);
    }

    [TestMethod]
    public void GradientsReachEveryParameter()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            using var streams = new RandomStreams(1);
            using var encoder = factory.Create(Vocabulary, streams);
            var embeddings = encoder.call(TokenTexts.Random(20, 12, Vocabulary, seed: 2, factory.UsesSpecialTokens));
            (embeddings * randn(embeddings.shape)).sum().backward();
            foreach (var (name, parameter) in encoder.named_parameters())
                Assert.IsTrue(parameter.grad is { } grad && grad.abs().sum().item<float>() > 0, $"{factory.Kind}: {name}");
        }
    }

    [TestMethod]
    public void DropoutWorksInTrainingOnlyAndFollowsItsStream()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            Tensor Embed(long seed, bool train)
            {
                using var streams = new RandomStreams(1);
                using var encoder = factory.Create(Vocabulary, streams);
                streams.Dropout.manual_seed(seed);
                encoder.train(train);
                return encoder.call(TokenTexts.Of([[2, 10, 11, 12, 3]])).detach();
            }
            Assert.AreEqual(0f, (Embed(1, true) - Embed(1, true)).abs().max().item<float>());
            Assert.IsTrue((Embed(1, true) - Embed(2, true)).abs().max().item<float>() > 0);
            Assert.AreEqual(0f, (Embed(1, false) - Embed(2, false)).abs().max().item<float>());
        }
    }

    [TestMethod]
    public void WeightsFollowTheSeed()
    {
        foreach (var factory in Factories())
        {
            using var scope = NewDisposeScope();
            Tensor[] Weights(long seed)
            {
                using var streams = new RandomStreams(seed);
                return [.. factory.Create(Vocabulary, streams).state_dict().Values];
            }
            Assert.IsTrue(Weights(1).Zip(Weights(1), (a, b) => (a - b).abs().max().item<float>()).All(d => d == 0));
            Assert.IsTrue(Weights(1).Zip(Weights(2), (a, b) => (a - b).abs().max().item<float>()).Any(d => d > 0));
        }
    }

    [TestMethod]
    public void DescriptionsSurviveJson()
    {
        foreach (var factory in Factories())
        {
            var read = EncoderFactory.FromJson(JsonNode.Parse(factory.ToJson().ToJsonString())!.AsObject());
            Assert.AreEqual(factory.ToJson().ToJsonString(), read.ToJson().ToJsonString());
            Assert.AreEqual(factory.EmbeddingDimension, read.EmbeddingDimension);
        }
        Assert.Throws<FormatException>(() => EncoderFactory.FromJson(new JsonObject { ["kind"] = "text.nothing" }));
        StringAssert.Contains(Assert.Throws<FormatException>(()
            => EncoderFactory.FromJson(new JsonObject { ["kind"] = "text.bag" })).Message,
            "must have \"embeddingDimension\"");
    }

    [TestMethod]
    public void FaultySizesAreNamedTogether()
    {
        string bag = Assert.Throws<ArgumentOutOfRangeException>(() => TextEncoders.Bag(embeddingDimension: 0, dropout: 1)).Message;
        StringAssert.Contains(bag, "embeddingDimension must be at least 1, got 0.");
        StringAssert.Contains(bag, "dropout must be at least 0 and less than 1, got 1.");
        string transformer = Assert.Throws<ArgumentOutOfRangeException>(() => TextEncoders.Transformer(dimension: 10, numberOfHeads: 3,
            maximumTokens: 1)).Message;
        StringAssert.Contains(transformer, "dimension must be a multiple of numberOfHeads 3, got 10.");
        StringAssert.Contains(transformer, "maximumTokens must be at least 3, got 1.");
    }

    [TestMethod]
    public void TooLongTextsAreRefusedWithASentence()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = Factories()[1].Create(Vocabulary, streams);
        var fault = Assert.Throws<ArgumentException>(() => encoder.call(TokenTexts.Of([[.. Enumerable.Repeat(10L, 13)]])));
        StringAssert.Contains(fault.Message, "texts of up to 12 tokens, got 13");
    }

    private static void AssertClose(Tensor expected, Tensor actual, double tolerance)
    {
        CollectionAssert.AreEqual(expected.shape, actual.shape);
        Assert.AreEqual(0, (expected - actual).abs().max().item<float>(), tolerance);
    }
}
