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

    // Gao et al., 2021 (arXiv:2101.06983): the gradients of the whole batch, whatever the parts.
    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    [DataRow(4)]
    [DataRow(7)]
    public void PartsOfABatchGiveItsGradients(int part)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, float[]> Gradients(int? most, out float loss)
        {
            using var streams = new RandomStreams(1);
            using var towers = Towers(streams);
            using var method = new SigLipTrainer.Method(towers, TinyTextEncoder.Vocabulary, streams,
                new() { View = new Unchanged(), TokenDeletion = 0, InitialBias = -2, EncoderBatchSize = most });
            var largest = Watch(method);
            var step = method.Loss([Pairs(7)]);
            HasParts(largest(), most);
            step.Total.backward();
            loss = step.Total.item<float>();
            return method.named_parameters().ToDictionary(item => item.name, item => TestSeries.Floats(item.parameter.grad!));
        }
        var expected = Gradients(null, out var whole);
        var actual = Gradients(part, out var sum);
        Assert.AreEqual(whole, sum, 1e-5f);
        Assert.IsGreaterThan(5, expected.Count);
        foreach (var (name, gradient) in expected)
        {
            for (var i = 0; i < gradient.Length; i++)
                Assert.AreEqual(gradient[i], actual[name][i], 1e-5f, $"{name}, {i}");
        }
    }

    [TestMethod]
    [DataRow("pairs")]
    [DataRow("negatives")]
    [DataRow("twice")]
    [DataRow("hybrid")]
    public void PartsOfABatchOfTextsGiveItsGradients(string kind)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, float[]> Gradients(int? most, out float loss)
        {
            using var streams = new RandomStreams(1);
            var encoder = new TinyTextEncoder();
            using PretrainingMethod method = kind switch
            {
                "twice" => new SimCseTrainer.Method(encoder, streams, new() { EncoderBatchSize = most }),
                "hybrid" => new ContrastiveMaskedTrainer.Method(encoder, TinyTextEncoder.Vocabulary, streams, new() { EncoderBatchSize = most, ContrastiveWeight = 0.7f, MaskRatio = 0.4f }),
                _ => new PairedContrastiveTrainer.Method(encoder, streams, new() { EncoderBatchSize = most, NegativeColumnName = kind == "negatives" ? "N" : null }),
            };
            var largest = Watch(method);
            var columns = kind switch { "negatives" => 3, "pairs" => 2, _ => 1 };
            var step = method.Loss([.. Enumerable.Range(0, columns).Select(column => TokenTexts.Random(7, 6, TinyTextEncoder.Vocabulary, seed: 4 + column, specialTokens: true))]);
            HasParts(largest(), most);
            step.Total.backward();
            loss = step.Total.item<float>();
            return method.named_parameters().Where(item => item.parameter.grad is not null).ToDictionary(item => item.name, item => TestSeries.Floats(item.parameter.grad!));
        }
        var expected = Gradients(null, out var whole);
        foreach (var part in (int[])[1, 3, 4])
        {
            var actual = Gradients(part, out var sum);
            Assert.AreEqual(whole, sum, 1e-4f);
            foreach (var (name, gradient) in expected)
            {
                for (var i = 0; i < gradient.Length; i++)
                    Assert.AreEqual(gradient[i], actual[name][i], 2e-5f, $"{name}, {i}, parts of {part}");
            }
        }
    }

    [TestMethod]
    [DataRow("SimClr")]
    [DataRow("Dcl")]
    [DataRow("Scarf")]
    public void PartsOfABatchOfImagesOrRowsGiveItsGradients(string kind)
    {
        using var scope = NewDisposeScope();
        Dictionary<string, float[]> Gradients(int? most, out float loss)
        {
            using var streams = new RandomStreams(1);
            // Encoders without statistics of a batch, and views without draws, which would be others in parts.
            using PretrainingMethod method = kind switch
            {
                "SimClr" => new SimClrTrainer.Method(new TinyImageEncoder(), streams, new() { View = new Unchanged(), EncoderBatchSize = most }),
                "Dcl" => new DclTrainer.Method(new TinyImageEncoder(), streams, new() { View = new Unchanged(), EncoderBatchSize = most, Sigma = 0.5f }),
                _ => new ScarfTrainer.Method(new TinyTableEncoder(TableRows.Layout), streams, new() { View = new Doubled(), EncoderBatchSize = most, InputColumnNames = ["a"] }),
            };
            var largest = Watch(method);
            var step = method.Loss([kind == "Scarf" ? TableBatches.Random(TableRows.Layout, 7, 3) : new ImageBatch(ImageSamples.Random(7, 1, 6, 3))]);
            HasParts(largest(), most);
            step.Total.backward();
            loss = step.Total.item<float>();
            return method.named_parameters().Where(item => item.parameter.grad is not null).ToDictionary(item => item.name, item => TestSeries.Floats(item.parameter.grad!));
        }
        var expected = Gradients(null, out var whole);
        Assert.IsTrue(expected.Any(item => item.Key.StartsWith("encoder.", StringComparison.Ordinal) && item.Value.Any(value => Math.Abs(value) > 1e-3)), "a gradient to speak of");
        foreach (var part in (int[])[1, 3, 4])
        {
            var actual = Gradients(part, out var sum);
            Assert.AreEqual(whole, sum, 1e-4f);
            foreach (var (name, gradient) in expected)
            {
                for (var i = 0; i < gradient.Length; i++)
                    Assert.AreEqual(gradient[i], actual[name][i], 2e-5f * Math.Max(1, gradient.Max(Math.Abs)), $"{name}, {i}, parts of {part}");
            }
        }
    }

    // What is drawn in the first pass over a part is drawn again in the second: else the gradient would be one of other texts.
    [TestMethod]
    public void TheSecondPassOverAPartDrawsWhatTheFirstDrew()
    {
        using var scope = NewDisposeScope();
        using RandomStreams streams = new(1), same = new(1);
        var seen = new List<float>();
        using var weight = nn.Parameter(ones(1));
        var result = GradientCache.Compute(6, 2, streams, (_, count) =>
        {
            var draw = Draws.Uniform([count, 1], CPU, streams.Views);
            seen.AddRange(TestSeries.Floats(draw));
            return [draw * weight];
        }, tensors => new StepLoss(tensors[0].pow(2).sum(), []));
        result.Total.backward();
        Assert.HasCount(12, seen);
        float[] once = TestSeries.Floats(Draws.Uniform([6, 1], CPU, same.Views));
        CollectionAssert.AreEqual(once, seen[..6]);
        CollectionAssert.AreEqual(once, seen[6..]);
        Assert.AreEqual(2 * once.Sum(x => x * x), weight.grad!.item<float>(), 1e-5);
        CollectionAssert.AreEqual(same.GetState()["views"], streams.GetState()["views"], "the stream stands where one pass leaves it");
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

    // The most rows that an encoder of the method sees at once.
    private static Func<long> Watch(PretrainingMethod method)
    {
        var largest = 0L;
        foreach (var encoder in method.modules().OfType<Encoder>())
        {
            encoder.register_forward_pre_hook((_, batch) =>
            {
                largest = Math.Max(largest, batch.Count);
                return batch;
            });
        }
        return () => largest;
    }

    // Both views of a part may be seen together.
    private static void HasParts(long largest, int? most) => Assert.IsTrue(most is null ? largest >= 7 : largest > 0 && largest <= 2 * most, $"{largest} rows at once, of {most}");

    private static TwoTowerEncoder Towers(RandomStreams streams)
    {
        var images = new TinyImages();
        return new TwoTowerEncoder((ProjectedImageEncoder)ProjectedImageEncoderFactory.Of(images, Dimension).Create(streams),
            (ProjectedTextEncoder)new ProjectedTextEncoderFactory(new TinyTexts(), Dimension).Create(TinyTextEncoder.Vocabulary, streams));
    }

    private static ImageTextBatch Pairs(int count) => new(TinyImageEncoder.Images(count), TokenTexts.Random(count, 6, TinyTextEncoder.Vocabulary, seed: 4, specialTokens: false));

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

    private sealed class Doubled : Ssl.Estimators.TableView
    {
        public override TableBatch Apply(TableBatch batch, Generator generator) => new(batch.Numbers.mul(2), batch.Missing.alias(), batch.Codes.alias());
    }
}
