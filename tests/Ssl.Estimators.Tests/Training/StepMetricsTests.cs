using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Training;

[TestClass]
public class StepMetricsTests
{
    [TestMethod]
    public void StepsOfDifferentKindsAreReadInOrder()
    {
        using var metrics = new StepMetrics(3);
        long before = Tensor.TotalCount;
        for (int step = 1; step <= 3; step++)
        {
            Assert.IsFalse(metrics.IsFull);
            using var scope = NewDisposeScope(); // the numbers outlive the step's scope
            var loss = new StepLoss(tensor((float)step, requires_grad: true),
                [("a", tensor(10.0 * step)), ("b", tensor(new float[] { -step }))]);
            metrics.Add(step, 100 + step, 0.1 * step, loss, step == 2 ? tensor(7f) : null, step == 3 ? tensor(0.5f) : null);
        }
        Assert.IsTrue(metrics.IsFull);
        IReadOnlyList<StepNumbers> numbers = metrics.Read();
        Assert.HasCount(3, numbers);
        for (int i = 0; i < 3; i++)
        {
            Assert.AreEqual(i + 1, numbers[i].Step);
            Assert.AreEqual(101 + i, numbers[i].Samples);
            Assert.AreEqual(i + 1f, numbers[i].Loss);
            CollectionAssert.AreEqual(new[] { 10f * (i + 1), -(i + 1) }, numbers[i].Terms);
            CollectionAssert.AreEqual(new[] { "a", "b" }, numbers[i].Names.ToArray());
        }
        Assert.AreEqual(7f, numbers[1].GradientNorm);
        Assert.IsNull(numbers[2].GradientNorm);
        Assert.AreEqual(0.5f, numbers[2].Spread);
        Assert.IsEmpty(metrics.Read());
        // Fewer where tensors of an earlier test met their finalizer meanwhile.
        Assert.IsLessThanOrEqualTo(before, Tensor.TotalCount);
    }
}
