using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

[TestClass]
public sealed class SupervisedContrastiveLossTests
{
    private const double Temperature = 0.2;

    private static float[] Numbers(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    private static double Loss(float[] numbers, float[] labels)
    {
        using var scope = NewDisposeScope();
        return SupervisedContrastiveLoss.Compute(tensor(numbers, [labels.Length, numbers.Length / labels.Length]), tensor(labels), Temperature).item<float>();
    }

    /// <summary>Khosla et al., equation 2, as plain loops; a vector without another of its class counts among the others only.</summary>
    [TestMethod]
    public void Equals_the_definition()
    {
        float[] labels = [0, 1, 0, 2, 1, 0, 7];
        var (dimension, numbers) = (5, Numbers(35, 1));
        double Cosine(int i, int j)
        {
            double product = 0, first = 0, second = 0;
            for (var d = 0; d < dimension; d++)
            {
                double a = numbers[i * dimension + d], b = numbers[j * dimension + d];
                (product, first, second) = (product + a * b, first + a * a, second + b * b);
            }
            return product / Math.Sqrt(first * second);
        }
        var (sum, anchors) = (0.0, 0);
        for (var i = 0; i < labels.Length; i++)
        {
            int[] others = [.. Enumerable.Range(0, labels.Length).Where(j => j != i)], positives = [.. others.Where(j => labels[j] == labels[i])];
            if (positives.Length == 0)
                continue;
            anchors++;
            var all = others.Sum(j => Math.Exp(Cosine(i, j) / Temperature));
            sum += positives.Sum(p => -Math.Log(Math.Exp(Cosine(i, p) / Temperature) / all)) / positives.Length;
        }
        Assert.AreEqual(5, anchors);
        Assert.AreEqual(sum / anchors, Loss(numbers, labels), 1e-5);
    }

    [TestMethod]
    public void With_two_vectors_a_class_it_is_NtXent()
    {
        using var scope = NewDisposeScope();
        var numbers = Numbers(40, 2);
        var expected = NtXentLoss.Compute(tensor(numbers[..20], [4, 5]), tensor(numbers[20..], [4, 5]), Temperature).item<float>();
        Assert.AreEqual(expected, Loss(numbers, [0, 1, 2, 3, 0, 1, 2, 3]), 1e-5);
    }

    [TestMethod]
    public void Without_two_of_a_class_there_is_nothing_to_learn()
    {
        using var scope = NewDisposeScope();
        var embeddings = tensor(Numbers(12, 3), [3, 4], requires_grad: true);
        using var gradients = enable_grad();
        var loss = SupervisedContrastiveLoss.Compute(embeddings, tensor((float[])[0, 1, 2]), Temperature);
        loss.backward();
        Assert.AreEqual(0f, loss.item<float>());
        Assert.AreEqual(0f, embeddings.grad!.abs().sum().item<float>());
    }

    [TestMethod]
    public void Shapes_that_do_not_fit_are_refused()
    {
        using var scope = NewDisposeScope();
        var embeddings = tensor(Numbers(12, 3), [3, 4]);
        Assert.ThrowsExactly<ArgumentException>(() => SupervisedContrastiveLoss.Compute(embeddings, tensor((float[])[0, 1]), Temperature));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => SupervisedContrastiveLoss.Compute(embeddings, tensor((float[])[0, 1, 2]), 0));
    }
}
