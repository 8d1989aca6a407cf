using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tests.Views;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>The methods for images with texts.</summary>
[TestClass]
public sealed class ImageTextTests
{
    private const int Count = 5, Dimension = 4;

    // Radford et al., 2021 (arXiv:2103.00020), figure 3: cross entropy along both directions, over cosines times a scale that is learned.
    [TestMethod]
    [ByHand(typeof(ClipTrainer.Method))]
    public void ClipFindsTheTextOfAnImageAndTheImageOfAText()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(3);
        using var towers = Towers(streams);
        using var method = new ClipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams, new() { View = view, TokenDeletion = 0, InitialTemperature = 0.2f });
        var batch = Pairs(Count);
        var loss = method.Loss([batch]);
        Assert.AreEqual(1, view.Calls);
        Numbers.AreEqual(ByHand(), loss.Total);
        Assert.AreEqual(5, loss.Terms.Single(term => term.Name == "scale").Value.item<float>(), 1e-4);
        Steps.Backward(method, loss);
        Numbers.IsTheSlope(towers.LogitScale, ByHand);
        Numbers.IsTheSlope(Steps.Weight(towers, "image.projection.weight"), ByHand);
        Numbers.IsTheSlope(Steps.Weight(towers, "text.encoder.table"), ByHand);

        double ByHand()
        {
            var scores = Scores(towers, view.Returned(0), batch.Texts, 0);
            double sum = 0;
            for (var i = 0; i < Count; i++)
            {
                var (row, column) = (i, i);
                sum += (Numbers.LogSumExp(Enumerable.Range(0, Count).Select(j => scores[row, j])) - scores[i, i]) / 2;
                sum += (Numbers.LogSumExp(Enumerable.Range(0, Count).Select(j => scores[j, column])) - scores[i, i]) / 2;
            }
            return sum / Count;
        }
    }

    // Zhai et al., 2023 (arXiv:2303.15343), equation 1: every pair of the batch on its own, the sum divided by the number of rows.
    [TestMethod]
    [ByHand(typeof(SigLipTrainer.Method))]
    public void SigLipTellsOfEveryPairWhetherItIsOne()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = new RecordedView(3);
        using var towers = Towers(streams);
        using var method = new SigLipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams,
            new() { View = view, TokenDeletion = 0, InitialTemperature = 0.25f, InitialBias = -2 });
        var batch = Pairs(Count);
        var loss = method.Loss([batch]);
        Numbers.AreEqual(ByHand(), loss.Total);
        Steps.Backward(method, loss);
        Numbers.IsTheSlope(towers.LogitScale, ByHand);
        Numbers.IsTheSlope(towers.LogitBias, ByHand);

        double ByHand()
        {
            var scores = Scores(towers, view.Returned(0), batch.Texts, towers.LogitBias.item<float>());
            double sum = 0;
            for (var i = 0; i < Count; i++)
            {
                for (var j = 0; j < Count; j++)
                    sum += Math.Log(1 + Math.Exp(-(i == j ? 1 : -1) * scores[i, j]));
            }
            return sum / Count;
        }
    }

    [TestMethod]
    public void TheScaleGrowsToAHundredAndNoFurther()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var towers = Towers(streams);
        using var method = new ClipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams, new());
        using var noGrad = no_grad();
        towers.LogitScale.fill_(7);
        method.OnStepCompleted(0.5);
        Assert.AreEqual(100, towers.LogitScale.exp().item<float>(), 1e-3);
        towers.LogitScale.fill_(2);
        method.OnStepCompleted(0.5);
        Assert.AreEqual(2, towers.LogitScale.item<float>(), 1e-6);
    }

    [TestMethod]
    public void WhatStartsFromWeightsLearnsSlower()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        double[] fresh = Rates(false), started = Rates(true);
        Assert.AreEqual(2e-3, started[0] / fresh[0], 1e-12, "the encoder that has weights");
        Assert.AreEqual(fresh[1], started[1], "the layer behind it");
        Assert.AreEqual(fresh[2], started[2], "the other encoder");
        Assert.AreEqual(0.5, fresh[1]);

        double[] Rates(bool starts)
        {
            using var towers = Towers(streams);
            using var method = new ClipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams,
                new() { TextEncoder = new TinyTexts(starts), LearningRate = 1e-2, StartedEncoderLearningRate = 2e-5 });
            method.Tune(new EncoderTuning(LayerDecay: 0.5));
            return [.. ((string[])["encoder.text.encoder.table", "encoder.text.projection.weight", "encoder.image.encoder.weight"]).Select(name => method.RateOf(name).Scale)];
        }
    }

    // Images lose blocks at their input first: both towers end at the same block.
    [TestMethod]
    public void TheBlocksOfBothEncodersMeetAtTheSharedSpace()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var texts = TextEncoders.Bag(8, 8, 8);
        var images = ImageEncoders.SmallConvNet(imageSize: 12, channels: 3, numberOfStages: 2, width: 4);
        using var towers = new TwoTowerEncoder((ProjectedImageEncoder)ProjectedImageEncoderFactory.Of(images, 4).Create(streams),
            (ProjectedTextEncoder)new ProjectedTextEncoderFactory(texts, 4).Create(TinyTextEncoder.Vocabulary, streams));
        Assert.AreEqual("image.projection and text.projection and logit_scale and logit_bias", towers.Blocks[^1]);
        Assert.HasCount(Math.Max(towers.Images.Blocks.Count, towers.Texts.Blocks.Count), towers.Blocks);
        var blocks = new EncoderBlocks(towers);
        Assert.AreEqual(blocks.Count - 1, blocks["image.projection.weight"]);
        Assert.AreEqual(blocks.Count - 1, blocks["text.projection.weight"]);
        Assert.AreEqual(blocks.Count - 1, blocks["logit_scale"]);
        Assert.AreEqual(blocks.Count - 2, blocks["text.encoder.output.weight"]);
        Assert.AreEqual(0, blocks["text.encoder.word_embeddings.weight"]);
    }

    [TestMethod]
    public void EmbeddingsHaveTheLengthOfTheRootOfTheirNumbers()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var towers = Towers(streams);
        var batch = Pairs(3);
        using var noGrad = no_grad();
        var vectors = towers.call(batch);                       // [3, 2D]
        Assert.AreEqual(2 * Dimension, (int)vectors.shape[1]);
        foreach (var row in Numbers.Rows(vectors))
        {
            Assert.AreEqual(2, Math.Sqrt(row[..Dimension].Sum(x => x * x)), 1e-5);
            Assert.AreEqual(2, Math.Sqrt(row[Dimension..].Sum(x => x * x)), 1e-5);
        }
        CollectionAssert.AreEqual(TestSeries.Floats(towers.Images.call(batch.Images)), TestSeries.Floats(vectors.narrow(1, 0, Dimension).contiguous()));
        CollectionAssert.AreEqual(TestSeries.Floats(towers.Texts.call(batch.Texts)), TestSeries.Floats(vectors.narrow(1, Dimension, Dimension).contiguous()));
    }

    // Cosines of all pairs times the scale, and the shift.
    private static double[,] Scores(TwoTowerEncoder towers, Tensor pixels, TokenBatch texts, double bias)
    {
        using var noGrad = no_grad();
        double scale = Math.Exp(towers.LogitScale.item<float>());
        var (a, b) = (Numbers.Rows(towers.Images.call(new ImageBatch(pixels))), Numbers.Rows(towers.Texts.call(texts)));
        var scores = new double[a.Length, b.Length];
        for (var i = 0; i < a.Length; i++)
        {
            for (var j = 0; j < b.Length; j++)
                scores[i, j] = scale * Numbers.Cosine(a[i], b[j]) + bias;
        }
        return scores;
    }

    internal static TwoTowerEncoder Towers(RandomStreams streams)
    {
        var images = new TinyImages();
        return new TwoTowerEncoder((ProjectedImageEncoder)ProjectedImageEncoderFactory.Of(images, Dimension).Create(streams),
            (ProjectedTextEncoder)new ProjectedTextEncoderFactory(new TinyTexts(), Dimension).Create(TinyTextEncoder.Vocabulary, streams));
    }

    internal static ImageTextBatch Pairs(int count) => new(TinyImageEncoder.Images(count), TokenTexts.Random(count, 6, TinyTextEncoder.Vocabulary, seed: 4, specialTokens: false));

    private sealed class TinyImages() : ImageEncoderFactory(new ImageShape(1, TinyImageEncoder.Side, TinyImageEncoder.Side))
    {
        public override string Kind => "tiny";

        public override int EmbeddingDimension => 5;

        public override ImageEncoder Create(RandomStreams streams) => new TinyImageEncoder();

        protected override void Describe(System.Text.Json.Nodes.JsonObject json)
        {
        }
    }

    private sealed class TinyTexts(bool startsFromWeights = false) : TextEncoderFactory
    {
        internal override bool StartsFromWeights => startsFromWeights;

        public override string Kind => "tiny";

        public override int EmbeddingDimension => 6;

        public override int MaximumTokens => 8;

        public override bool UsesSpecialTokens => false;

        public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams) => new TinyTextEncoder();

        public override System.Text.Json.Nodes.JsonObject ToJson() => [];
    }
}
