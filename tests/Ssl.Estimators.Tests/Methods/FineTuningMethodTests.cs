using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Tasks;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods;

/// <summary>Supervised losses against the formulas written out with loops, and which weights get a gradient.</summary>
[TestClass]
public class FineTuningMethodTests
{
    private const double Tolerance = 1e-5;

    private static readonly TokenVocabulary Vocabulary = new(Size: 20, PaddingId: 0, UnknownId: 1, ClassId: 2, SeparatorId: 3, MaskId: 4,
        SpecialCount: 5);

    private static TokenBatch Texts()
        => new(tensor(new long[] { 5, 6, 7, 8, 9, 10, 11, 12 }, [4, 2]), ones([4, 2], dtype: ScalarType.Bool));

    private static (TextEncoder Encoder, PredictionHead Head) Networks(RandomStreams streams, int outputs, int hidden = 0)
        => (TextEncoders.Bag(embeddingDimension: 6).Create(Vocabulary, streams), new PredictionHead(6, hidden, outputs, streams));

    private static (double Loss, double[][] Logits) Run(FineTuningMethod method, float[] labels) => Run(method, tensor(labels));

    private static (double Loss, double[][] Logits) Run(FineTuningMethod method, Tensor labels)
    {
        using var scope = NewDisposeScope();
        var loss = method.Loss([Texts(), new LabelBatch(labels)]).Total.item<float>();
        var logits = method.Head.call(method.Encoder.call(Texts())).detach();
        var (rows, columns) = ((int)logits.shape[0], (int)logits.shape[1]);
        var values = logits.contiguous().data<float>().ToArray();
        return (loss, [.. Enumerable.Range(0, rows).Select(i => values.Skip(i * columns).Take(columns).Select(v => (double)v).ToArray())]);
    }

    [TestMethod]
    [DataRow(0.0, false)]
    [DataRow(0.0, true)]
    [DataRow(0.2, false)]
    public void MulticlassIsCrossEntropyOfTheSoftmax(double smoothing, bool weighted)
    {
        float[] labels = [0, 2, 2, 1], weights = [3, 1, 0.5f];
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 3);
        using var method = new MulticlassClassification(encoder, head, EncoderTuning.Full, smoothing, weighted ? weights : null);
        method.eval();
        var (loss, logits) = Run(method, labels);
        double sum = 0, total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var norm = Math.Log(logits[i].Sum(Math.Exp));
            var weight = weighted ? weights[(int)labels[i]] : 1;
            for (var c = 0; c < 3; c++)
                sum -= weight * ((c == (int)labels[i] ? 1 - smoothing : 0) + smoothing / 3) * (logits[i][c] - norm);
            total += weight;
        }
        Assert.AreEqual(sum / total, loss, Tolerance);
    }

    [TestMethod]
    [DataRow(0.0, false)]
    [DataRow(0.1, true)]
    public void BinaryIsLogisticLoss(double smoothing, bool weighted)
    {
        float[] labels = [1, 0, 0, 1];
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 1);
        using var method = new BinaryClassification(encoder, head, EncoderTuning.Full, smoothing, weighted ? (0.5f, 2f) : null);
        method.eval();
        var (loss, logits) = Run(method, labels);
        double sum = 0, total = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var p = 1 / (1 + Math.Exp(-logits[i][0]));
            var target = labels[i] * (1 - smoothing) + smoothing / 2;
            var weight = weighted ? labels[i] > 0 ? 2 : 0.5 : 1;
            sum -= weight * (target * Math.Log(p) + (1 - target) * Math.Log(1 - p));
            total += weight;
        }
        Assert.AreEqual(sum / total, loss, Tolerance);
    }

    [TestMethod]
    public void RegressionIsSquaredErrorInDeviations()
    {
        float[] labels = [90, 100, 110, 130];
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 1, hidden: 5);
        using var method = new Regression(encoder, head, EncoderTuning.Full, mean: 100, deviation: 20);
        method.eval();
        var (loss, logits) = Run(method, labels);
        Assert.AreEqual(labels.Select((y, i) => Math.Pow(logits[i][0] - (y - 100) / 20, 2)).Average(), loss, Tolerance);
    }

    [TestMethod]
    public void LargeLabelsThatDifferLittleAreToldApart()
    {
        double[] labels = [1.7e9 + 1, 1.7e9 + 2, 1.7e9 + 3, 1.7e9 + 4];
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 1, hidden: 5);
        using var method = new Regression(encoder, head, EncoderTuning.Full, mean: 1.7e9, deviation: 1);
        method.eval();
        var (loss, logits) = Run(method, tensor(labels));
        Assert.AreEqual(labels.Select((y, i) => Math.Pow(logits[i][0] - (y - 1.7e9), 2)).Average(), loss, Tolerance);
    }

    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void TheGradientReachesTheEncoderUnlessOnlyTheHeadIsTrained(bool headOnly)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 3, hidden: 4);
        using var method = new MulticlassClassification(encoder, head, headOnly ? EncoderTuning.HeadOnly : EncoderTuning.Full);
        method.train();
        method.Loss([Texts(), new LabelBatch(tensor(new float[] { 0, 1, 2, 0 }))]).Total.backward();
        Assert.IsTrue(head.parameters().All(p => p.grad is not null));
        Assert.AreEqual(!headOnly, encoder.parameters().Any(p => p.grad is not null));
        Assert.AreEqual(!headOnly, encoder.training, "dropout of a frozen encoder is off");
    }

    [TestMethod]
    public void BlocksGoFromTheInputToTheOutputAndTakeAllParameters()
    {
        using var streams = new RandomStreams(1);
        using var bag = TextEncoders.Bag(embeddingDimension: 6).Create(Vocabulary, streams);
        CollectionAssert.AreEqual(new[] { "word_embeddings", "hidden", "output" }, bag.Blocks.ToArray());
        var blocks = new EncoderBlocks(bag);
        Assert.AreEqual(0, blocks["layer_norm.weight"], "a norm belongs to what stands before it");
        Assert.AreEqual(2, blocks["output.bias"]);

        using var transformer = TextEncoders.Transformer(numberOfLayers: 2, dimension: 8, numberOfHeads: 2).Create(Vocabulary, streams);
        CollectionAssert.AreEqual(new[] { "embeddings", "encoder.layer.0", "encoder.layer.1" }, transformer.Blocks.ToArray());
        blocks = new EncoderBlocks(transformer);
        Assert.AreEqual(0, blocks["embeddings.position_embeddings.weight"]);
        Assert.AreEqual(1, blocks["encoder.layer.0.output.weight"]);
        Assert.AreEqual(2, blocks["encoder.layer_norm.weight"]);

        // Of a list of modules every element is a block.
        using var convolutions = ImageEncoders.SmallConvNet(imageSize: 8, channels: 1, numberOfStages: 3, width: 4).Create(streams);
        CollectionAssert.AreEqual(new[] { "stages.0", "stages.1", "stages.2" }, convolutions.Blocks.ToArray());
        Assert.AreEqual(1, new EncoderBlocks(convolutions)["stages.1.refine_norm.bias"]);
    }

    [TestMethod]
    public void OnlyTheLastBlocksGetGradientsAndTheLearningRateFallsTowardsTheInput()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 3);
        using var method = new MulticlassClassification(encoder, head, new EncoderTuning(TrainableBlocks: 2, LayerDecay: 0.5));
        method.train();
        method.Loss([Texts(), new LabelBatch(tensor(new float[] { 0, 1, 2, 0 }))]).Total.backward();
        foreach (var (name, parameter) in encoder.named_parameters())
        {
            var trained = name.StartsWith("hidden", StringComparison.Ordinal) || name.StartsWith("output", StringComparison.Ordinal);
            Assert.AreEqual(trained, parameter.grad is not null, name);
        }
        Assert.AreEqual(1, method.RateOf("head.output.weight").Scale);
        Assert.AreEqual(0.5, method.RateOf("encoder.output.weight").Scale);
        Assert.AreEqual(0.25, method.RateOf("encoder.hidden.bias").Scale);
        Assert.AreEqual(0.125, method.RateOf("encoder.word_embeddings.weight").Scale);
    }

    [TestMethod]
    public void StatisticsOfBlocksThatDoNotChangeDoNotChange()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var encoder = new ResNetEncoderFactory(new ImageShape(3, 12, 12), 18, 4, ImageStem.Small).Create(streams);
        using var method = new MulticlassClassification(encoder, new PredictionHead(encoder.EmbeddingDimension, 0, 3, streams),
            new EncoderTuning(TrainableBlocks: 2));
        var before = encoder.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        method.train();
        method.Loss([new ImageBatch(rand(4, 3, 12, 12)), new LabelBatch(tensor(new float[] { 0, 1, 2, 0 }))]).Total.backward();
        foreach (var (name, value) in encoder.state_dict().Where(entry => entry.Key.EndsWith("running_mean", StringComparison.Ordinal)))
            Assert.AreEqual(name.StartsWith("layer4", StringComparison.Ordinal), !value.equal(before[name]).all().item<bool>(), name);
    }

    [TestMethod]
    public void TheEncoderThawsAfterItsFrozenEpochs()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 3);
        using var method = new MulticlassClassification(encoder, head, new EncoderTuning(FrozenEpochs: 2));
        for (var epoch = 0; epoch < 3; epoch++)
        {
            method.zero_grad();
            method.train();
            method.OnEpochStarting(epoch);
            method.Loss([Texts(), new LabelBatch(tensor(new float[] { 0, 1, 2, 0 }))]).Total.backward();
            Assert.IsTrue(head.parameters().All(p => p.grad is not null));
            Assert.AreEqual(epoch == 2, encoder.parameters().Any(p => p.grad is not null), $"epoch {epoch}");
            Assert.AreEqual(epoch == 2, encoder.training, $"epoch {epoch}");
        }
    }

    [TestMethod]
    public void PseudoLabelsAreTheSurestRowsOfEveryClass()
    {
        int[] rows = [10, 11, 12, 13, 14];
        float[] probabilities = [0.9f, 0.1f, 0.95f, 0.05f, 0.3f, 0.7f, 0.6f, 0.4f, float.NaN, 0];
        CollectionAssert.AreEqual(new[] { (11, 0f), (10, 0f), (12, 1f) },
            new PseudoLabels(0.69, null).Choose(rows, probabilities, 2).ToArray());
        CollectionAssert.AreEqual(new[] { (11, 0f), (12, 1f) }, new PseudoLabels(0.5, 1).Choose(rows, probabilities, 2).ToArray());
        Assert.IsEmpty(new PseudoLabels(0.99, null).Choose(rows, probabilities, 2));
    }

    [TestMethod]
    public void SavedNamesStartWithEncoderOrHead()
    {
        using var streams = new RandomStreams(1);
        var (encoder, head) = Networks(streams, 3, hidden: 4);
        using var method = new MulticlassClassification(encoder, head, EncoderTuning.Full);
        string[] names = [.. method.state_dict().Keys];
        Assert.IsTrue(names.All(n => n.StartsWith("encoder.", StringComparison.Ordinal)
            || n.StartsWith("head.", StringComparison.Ordinal)), string.Join(", ", names));
        CollectionAssert.AreEquivalent(new[] { "hidden.weight", "hidden.bias", "output.weight", "output.bias" },
            head.state_dict().Keys.ToArray());
    }

    [TestMethod]
    public void BalancedWeightsMakeClassesEqual()
    {
        var weights = BalancedWeights.Of([0, 0, 0, 2], 3);
        CollectionAssert.AreEqual(new[] { 4f / 6, 1, 2 }, weights);
    }
}
