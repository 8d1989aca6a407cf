using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

/// <summary>InfoNCE and NT-Xent against double loops, analytic values, and the numbers of Python's torch.</summary>
[TestClass]
public sealed class ContrastiveLossTests
{
    private delegate Tensor Loss(Tensor first, Tensor second, double temperature);

    [TestMethod]
    public void BothSidesInOneTensorGiveTheSameLogitsAndGradients()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        Tensor both = randn([12, 7], generator: generator).requires_grad_(), again = both.detach().requires_grad_();
        var halves = again.chunk(2);
        Tensor expected = InfoNceLoss.Logits(halves[0], halves[1], 0.2), actual = InfoNceLoss.Logits(both, 0.2);
        Assert.IsTrue(expected.eq(actual).all().item<bool>());
        InfoNceLoss.FromLogits(expected).backward();
        InfoNceLoss.FromLogits(actual).backward();
        Assert.IsTrue(again.grad!.eq(both.grad!).all().item<bool>());
        Assert.ThrowsExactly<ArgumentException>(() => InfoNceLoss.Logits(ones(3, 2), 0.2));
        Assert.ThrowsExactly<ArgumentException>(() => InfoNceLoss.Logits(ones(4), 0.2));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => InfoNceLoss.Logits(ones(4, 2), 0));
    }

    [TestMethod]
    [DataRow(0.05, 2, 3)]
    [DataRow(0.2, 5, 4)]
    [DataRow(1.0, 7, 2)]
    [DataRow(0.5, 3, 1)]
    public void ValuesAreThoseOfADoubleLoop(double temperature, int rows, int columns)
    {
        double[][] first = ContrastiveNaive.Values(0.2, rows, columns), second = ContrastiveNaive.Values(0.9, rows, columns);
        Assert.AreEqual(ContrastiveNaive.InfoNce(first, second, temperature), Value(InfoNceLoss.Compute, first, second, temperature), 1e-9);
        Assert.AreEqual(ContrastiveNaive.NtXent(first, second, temperature), Value(NtXentLoss.Compute, first, second, temperature), 1e-9);
    }

    [TestMethod]
    [DataRow(0.05, 2, 3)]
    [DataRow(0.2, 5, 4)]
    [DataRow(1.0, 1, 2)]
    public void HardNegativesAreOneMoreCandidateOfTheirOwnRow(double temperature, int rows, int columns)
    {
        double[][] first = ContrastiveNaive.Values(0.2, rows, columns), second = ContrastiveNaive.Values(0.9, rows, columns);
        double[][] negatives = ContrastiveNaive.Values(1.7, rows, columns);
        double WithNegatives(Tensor a, Tensor b, double t)
        {
            using var scope = NewDisposeScope();
            return InfoNceLoss.Compute(a, b, tensor(negatives.SelectMany(row => row).ToArray(), [rows, columns]), t).item<double>();
        }

        using var outer = NewDisposeScope();
        var left = tensor(first.SelectMany(row => row).ToArray(), [rows, columns]);
        var right = tensor(second.SelectMany(row => row).ToArray(), [rows, columns]);
        Assert.AreEqual(ContrastiveNaive.InfoNce(first, second, negatives, temperature), WithNegatives(left, right, temperature), 1e-9);
        Assert.ThrowsExactly<ArgumentException>(() => InfoNceLoss.Compute(left, right,
            zeros(rows + 1, columns, dtype: ScalarType.Float64)));
    }

    [TestMethod]
    public void InfoNceHasTheValueAndGradientsOfPythonsTorch()
        => CheckAgainstPython(InfoNceLoss.Compute, 0.2, ContrastiveNumbers.InfoNce, ContrastiveNumbers.InfoNceFirstGradient,
            ContrastiveNumbers.InfoNceSecondGradient);

    [TestMethod]
    public void NtXentHasTheValueAndGradientsOfPythonsTorch()
        => CheckAgainstPython(NtXentLoss.Compute, 0.5, ContrastiveNumbers.NtXent, ContrastiveNumbers.NtXentFirstGradient,
            ContrastiveNumbers.NtXentSecondGradient);

    [TestMethod]
    public void GradientsAreTheSlopesOfTheDoubleLoops()
    {
        double[][] first = ContrastiveNaive.Values(0.2), second = ContrastiveNaive.Values(0.9);
        CheckGradient(InfoNceLoss.Compute, first, second, 0.3, at => ContrastiveNaive.InfoNce(at, second, 0.3));
        CheckGradient(NtXentLoss.Compute, first, second, 0.3, at => ContrastiveNaive.NtXent(at, second, 0.3));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(8)]
    public void EqualEmbeddingsGiveTheLogarithmOfTheCandidates(int n)
    {
        double[][] equal = [.. Enumerable.Range(0, n).Select(_ => new[] { 0.3, -0.4, 0.5 })];
        Assert.AreEqual(Math.Log(n), Value(InfoNceLoss.Compute, equal, equal, 0.1), 1e-9);
        Assert.AreEqual(Math.Log(2 * n - 1), Value(NtXentLoss.Compute, equal, equal, 0.1), 1e-9);
    }

    [TestMethod]
    public void SidesMayBeSwapped()
    {
        double[][] first = ContrastiveNaive.Values(0.2), second = ContrastiveNaive.Values(0.9);
        Assert.AreEqual(Value(InfoNceLoss.Compute, first, second, 0.2), Value(InfoNceLoss.Compute, second, first, 0.2), 1e-12);
        Assert.AreEqual(Value(NtXentLoss.Compute, first, second, 0.2), Value(NtXentLoss.Compute, second, first, 0.2), 1e-12);
    }

    [TestMethod]
    public void LengthOfVectorsDoesNotCount()
    {
        double[][] first = ContrastiveNaive.Values(0.2), second = ContrastiveNaive.Values(0.9);
        double[][] longer = [.. first.Select((row, i) => row.Select(x => x * (i + 3)).ToArray())];
        Assert.AreEqual(Value(InfoNceLoss.Compute, first, second, 0.2), Value(InfoNceLoss.Compute, longer, second, 0.2), 1e-9);
        Assert.AreEqual(Value(NtXentLoss.Compute, first, second, 0.2), Value(NtXentLoss.Compute, longer, second, 0.2), 1e-9);
    }

    [TestMethod]
    public void ColdTemperatureAndLongVectorsStayFinite()
    {
        double[][] first = [[1e6, 0], [0, 1e6]], second = [[-1e6, 0], [0, -1e6]];
        Assert.AreEqual(1000 + Math.Log(1 + Math.Exp(-1000)), Value(InfoNceLoss.Compute, first, second, 0.001), 1e-3);
        Assert.IsTrue(double.IsFinite(Value(NtXentLoss.Compute, first, second, 0.001)));
    }

    [TestMethod]
    public void AccuracyIsTheShareOfPartnersFound()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new double[] { 5, 1, 1, 9, 2, 1, 0, 0, 3 }).view(3, 3);
        Assert.AreEqual(2.0 / 3, InfoNceLoss.Accuracy(logits).item<float>(), 1e-6);
    }

    [TestMethod]
    public void WrongArgumentsAreRefusedBeforeTheyReachTheLibrary()
    {
        using var scope = NewDisposeScope();
        var three = ones(3, 2);
        foreach (Loss loss in (Loss[])[InfoNceLoss.Compute, NtXentLoss.Compute])
        {
            StringAssert.Contains(Assert.Throws<ArgumentException>(() => loss(three, ones(4, 2), 0.1)).Message,
                "[N, D], got [3, 2] and [4, 2]");
            Assert.Throws<ArgumentException>(() => loss(three, ones(3, 5), 0.1));
            Assert.Throws<ArgumentException>(() => loss(ones(3), ones(3), 0.1));
            Assert.Throws<ArgumentException>(() => loss(ones(0, 2), ones(0, 2), 0.1));
            foreach (double temperature in (double[])[0, -1, double.NaN, double.PositiveInfinity])
            {
                var fault = Assert.Throws<ArgumentOutOfRangeException>(() => loss(three, three, temperature));
                StringAssert.Contains(fault.Message, "Temperature must be greater than 0");
            }
        }
        Assert.Throws<ArgumentException>(() => InfoNceLoss.FromLogits(ones(2, 3)));
    }

    private static void CheckAgainstPython(Loss loss, double temperature, double value, double[] firstGradient, double[] secondGradient)
    {
        using var scope = NewDisposeScope();
        Tensor first = Matrix(ContrastiveNaive.Values(0.2)).requires_grad_(),
            second = Matrix(ContrastiveNaive.Values(0.9)).requires_grad_();
        var result = loss(first, second, temperature);
        result.backward();
        Assert.AreEqual(value, result.item<double>(), 1e-12);
        AssertClose(firstGradient, first.grad!, 1e-12);
        AssertClose(secondGradient, second.grad!, 1e-12);
    }

    private static void CheckGradient(Loss loss, double[][] first, double[][] second, double temperature, Func<double[][], double> naive)
    {
        using var scope = NewDisposeScope();
        var at = Matrix(first).requires_grad_();
        loss(at, Matrix(second), temperature).backward();
        AssertClose(ContrastiveNaive.Gradient(naive, first), at.grad!, 1e-7);
    }

    private static double Value(Loss loss, double[][] first, double[][] second, double temperature)
    {
        using var scope = NewDisposeScope();
        return loss(Matrix(first), Matrix(second), temperature).item<double>();
    }

    private static Tensor Matrix(double[][] rows) => tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1).clone();

    private static void AssertClose(double[] expected, Tensor actual, double tolerance)
    {
        double[] values = actual.contiguous().data<double>().ToArray();
        Assert.HasCount(expected.Length, values);
        for (int i = 0; i < expected.Length; i++)
            Assert.AreEqual(expected[i], values[i], tolerance, $"entry {i}");
    }
}
