using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Views;

/// <summary>Views whose strengths are learned: their gradient, their direction, their bounds.</summary>
[TestClass]
public sealed class LearnableViewTests
{
    private const int Side = 12;

    private static ImageView Jitter() => new LearnableColorJitter(0.1, 0.9, 0.2, 0.1, share: 1);

    private static SimClrTrainer.Method Method(RandomStreams streams, ImageView view)
        => new(ImageEncoders.SmallConvNet(Side, 3, 2, 8).Create(streams), streams, new() { View = view, ProjectionDimension = 8 });

    private static Tensor Logits(nn.Module method, int view = 0) => method.get_parameter($"view_strengths.{view}.logits")!;

    // The loss of one step with these logits, everything else the same: streams are made anew.
    private static (double Loss, float[] Gradient) Step(ImageView view, float[] logits)
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(5);
        using var method = Method(streams, view);
        // A batch normalization in evaluation mode keeps the difference quotient smooth.
        method.eval();
        using (no_grad())
            Logits(method).copy_(tensor(logits));
        var loss = method.Loss([new ImageBatch(ImageSamples.Random(16, 3, Side, 7))]).Total;
        loss.backward();
        return (loss.item<float>(), Logits(method).grad!.data<float>().ToArray());
    }

    [TestMethod]
    [DataRow("jitter")]
    [DataRow("crop")]
    public void TheGradientIsTheNegativeSlopeOfTheLoss(string kind)
    {
        ImageView view = kind == "jitter" ? Jitter() : new LearnableCrop(Side, Side, 0.2, 0.8);
        float[] logits = kind == "jitter" ? [0.3f, -0.4f, 0.2f, -0.1f, 0.5f] : [0.3f];
        var (_, gradient) = Step(view, logits);
        for (int i = 0; i < logits.Length; i++)
        {
            const float Distance = 0.02f;
            float[] up = [.. logits], down = [.. logits];
            up[i] += Distance;
            down[i] -= Distance;
            double slope = (Step(view, up).Loss - Step(view, down).Loss) / (2 * Distance);
            Assert.AreEqual(-slope, gradient[i], 2e-3 + 0.1 * Math.Abs(slope), $"{kind} {i}");
        }
        Assert.IsGreaterThan(1e-3f, gradient.Max(MathF.Abs), "the loss depends on the strengths");
    }

    [TestMethod]
    public void StrengthsMoveAgainstTheEncoderAndStayInTheirBounds()
    {
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        var view = ImageViews.Compose(new LearnableCrop(Side, Side, 0.2, 0.8), Jitter());
        using var method = Method(streams, view);
        var before = Terms(method);
        Assert.AreEqual(0.5, before["smallest area"], 1e-6);
        Assert.AreEqual(0.5, before["brightness"], 1e-6);
        Assert.AreEqual(0.05, before["noise"], 1e-6);
        // Only the strengths learn here, with steps far larger than any training's: the loss must rise.
        double first = MeanLoss(method);
        for (int step = 0; step < 60; step++)
        {
            using var inner = NewDisposeScope();
            method.Loss([new ImageBatch(ImageSamples.Random(32, 3, Side, step))]).Total.backward();
            using (no_grad())
            {
                foreach (var index in new[] { 0, 1 })
                    Logits(method, index).add_(Logits(method, index).grad!.sign(), -0.3);
            }
            method.zero_grad();
        }
        Assert.IsGreaterThan(first + 0.05, MeanLoss(method), "an adversary makes the task harder");
        var after = Terms(method);
        foreach (var (name, minimum, maximum) in new[] { ("smallest area", 0.2, 0.8), ("brightness", 0.1, 0.9), ("contrast", 0.1, 0.9),
            ("saturation", 0.1, 0.9), ("hue", 0.0, 0.2), ("noise", 0.0, 0.1) })
        {
            Assert.AreNotEqual(before[name], after[name], 1e-3, name);
            Assert.IsTrue(after[name] >= minimum && after[name] <= maximum, $"{name} {after[name]}");
        }
        using (no_grad())
            Logits(method, 1).fill_(1e6);
        Assert.AreEqual(0.9, Terms(method)["brightness"], 1e-6, "no logit leaves the bounds");
    }

    [TestMethod]
    public void EachTrainingLearnsStrengthsOfItsOwnAndReportsThem()
    {
        var view = ImageViews.Compose(new RandomResizedCrop(Side, Side), Jitter());
        float[] first = Train(), second = Train();
        CollectionAssert.AreEqual(first, second, "the view keeps nothing of the first training");
        Assert.IsTrue(first.All(logit => logit != 0), "every strength moved");

        float[] Train()
        {
            using var streams = new RandomStreams(1);
            using var method = Method(streams, view);
            var settings = new TrainingSettings { NumberOfEpochs = 2, BatchSize = 16, LearningRate = 1e-2 };
            PretrainingLoop.Run(method, new FixedBatches(), settings, streams, CPU);
            return Logits(method).data<float>().ToArray();
        }
    }

    [TestMethod]
    public void ASecondViewSharesWhatItHasInCommonWithTheFirst()
    {
        using var streams = new RandomStreams(1);
        var jitter = Jitter();
        ImageEncoder Net() => ImageEncoders.SmallConvNet(Side, 3, 2, 8).Create(streams);
        using var shared = new ByolTrainer.Method(Net(), Net(), streams,
            new() { View = jitter, SecondView = ImageViews.Compose(jitter, new Grayscale()), ProjectionDimension = 8,
                HiddenDimension = 8 });
        Assert.AreEqual(1, shared.named_parameters().Count(p => p.name.StartsWith("view_strengths", StringComparison.Ordinal)));
        using var apart = new ByolTrainer.Method(Net(), Net(), streams,
            new() { View = jitter, SecondView = Jitter(), ProjectionDimension = 8, HiddenDimension = 8 });
        Assert.AreEqual(2, apart.named_parameters().Count(p => p.name.StartsWith("view_strengths", StringComparison.Ordinal)));
        using var none = new ByolTrainer.Method(Net(), Net(), streams,
            new() { View = new ColorJitter(), ProjectionDimension = 8, HiddenDimension = 8 });
        Assert.AreEqual(0, none.named_parameters().Count(p => p.name.StartsWith("view_strengths", StringComparison.Ordinal)));
    }

    private static double MeanLoss(SimClrTrainer.Method method)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return Enumerable.Range(0, 8)
            .Average(seed => method.Loss([new ImageBatch(ImageSamples.Random(32, 3, Side, 100 + seed))]).Total.item<float>());
    }

    private static Dictionary<string, double> Terms(SimClrTrainer.Method method)
    {
        using var scope = NewDisposeScope();
        return method.Loss([new ImageBatch(ImageSamples.Random(4, 3, Side, 1))]).Terms.ToDictionary(term => term.Name,
            term => (double)term.Value.item<float>());
    }

    private sealed class FixedBatches : IBatchSource
    {
        public long? RowCount => 64;

        public long? BatchesPerEpoch => 4;

        public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
            => Enumerable.Range(0, 4).Select(step => (IReadOnlyList<Batch>)[new ImageBatch(ImageSamples.Random(16, 3, Side, step))]);
    }
}
