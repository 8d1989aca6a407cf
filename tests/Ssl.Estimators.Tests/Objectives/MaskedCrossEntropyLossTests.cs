using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

[TestClass]
public sealed class MaskedCrossEntropyLossTests
{
    private static readonly double[][] Scores = [[1, 2, 0.5], [0, -1, 3], [0.2, 0.1, 0], [4, 4, 1]];

    private static readonly long[] Targets = [1, 0, 2, 1];

    [TestMethod]
    public void OnlyChosenPlacesCount()
    {
        using var scope = NewDisposeScope();
        var logits = Logits().view(2, 2, 3);
        var targets = tensor(Targets).view(2, 2);
        var chosen = tensor(new[] { true, false, true, false }).view(2, 2);
        double expected = (Naive(0) + Naive(2)) / 2;
        Assert.AreEqual(expected, MaskedCrossEntropyLoss.Compute(logits, targets, chosen).item<double>(), 1e-12);
    }

    [TestMethod]
    public void PlacesChosenBeforehandGiveTheSame()
    {
        using var scope = NewDisposeScope();
        double expected = Enumerable.Range(0, 4).Average(Naive);
        Assert.AreEqual(expected, MaskedCrossEntropyLoss.Compute(Logits(), tensor(Targets)).item<double>(), 1e-12);
    }

    [TestMethod]
    public void UniformScoresGiveTheLogarithmOfTheClasses()
    {
        using var scope = NewDisposeScope();
        var loss = MaskedCrossEntropyLoss.Compute(zeros(6, 11), zeros(6, dtype: ScalarType.Int64));
        Assert.AreEqual(Math.Log(11), loss.item<float>(), 1e-6);
    }

    [TestMethod]
    public void PlacesThatAreNotChosenGetNoGradient()
    {
        using var scope = NewDisposeScope();
        var logits = Logits().requires_grad_();
        MaskedCrossEntropyLoss.Compute(logits, tensor(Targets), tensor(new[] { true, false, false, true })).backward();
        double[] sums = logits.grad!.abs().sum(1).data<double>().ToArray();
        Assert.IsTrue(sums[0] > 0 && sums[3] > 0);
        Assert.AreEqual(0, sums[1] + sums[2]);
    }

    [TestMethod]
    public void NothingChosenIsZeroAndNotNaN()
    {
        using var scope = NewDisposeScope();
        var logits = Logits().requires_grad_();
        var loss = MaskedCrossEntropyLoss.Compute(logits, tensor(Targets), zeros(4, dtype: ScalarType.Bool));
        loss.backward();
        Assert.AreEqual(0, loss.item<double>());
        Assert.AreEqual(0, logits.grad!.abs().sum().item<double>());
        Assert.AreEqual(0f, MaskedCrossEntropyLoss.Accuracy(zeros(0, 3), zeros(0, dtype: ScalarType.Int64)).item<float>());
    }

    [TestMethod]
    public void AccuracyCountsTheHighestScores()
    {
        using var scope = NewDisposeScope();
        // Rows 0 and 3 (a tie) hit; rows 1 and 2 do not.
        Assert.AreEqual(0.5f, MaskedCrossEntropyLoss.Accuracy(Logits(), tensor(Targets)).item<float>());
    }

    [TestMethod]
    public void WrongShapesAreRefused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => MaskedCrossEntropyLoss.Compute(ones(3, 2), zeros(2, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => MaskedCrossEntropyLoss.Compute(ones(3, 2), zeros(3, dtype: ScalarType.Int64),
            zeros(2, dtype: ScalarType.Bool)));
    }

    private static Tensor Logits() => tensor(Scores.SelectMany(row => row).ToArray()).view(4, 3).clone();

    private static double Naive(int i) => Math.Log(Scores[i].Sum(Math.Exp)) - Scores[i][Targets[i]];

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(3)]
    public void PlacesThatDoNotCountAreAsIfTheyWereNotThere(int counting)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var logits = randn(6, 5, dtype: ScalarType.Float32, generator: generator);
        var targets = tensor(new long[] { 4, 0, 3, 1, 2, 2 });
        var places = tensor(new long[] { 5, 1, 2 }).narrow(0, 0, counting);
        var counted = zeros(6, dtype: ScalarType.Bool).index_fill_(0, places, true);
        var (loss, accuracy) = MaskedCrossEntropyLoss.ComputeCounted(logits, targets, counted);
        Tensor scores = logits.index_select(0, places), known = targets.index_select(0, places);
        Assert.AreEqual(counting == 0 ? 0 : MaskedCrossEntropyLoss.Compute(scores, known).item<float>(), loss.item<float>(), 1e-6f);
        Assert.AreEqual(counting == 0 ? 0 : MaskedCrossEntropyLoss.Accuracy(scores, known).item<float>(), accuracy.item<float>(), 1e-6f);
    }
}
