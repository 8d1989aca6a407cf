using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

[TestClass]
public sealed class CellReconstructionLossTests
{
    [TestMethod]
    public void AgreesWithLoops()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        const int n = 7, c = 3, k = 2, m = 5;
        var numbers = randn(n, c, generator: generator);
        var targets = randn(n, c, generator: generator);
        var chosenNumbers = rand(n, c, generator: generator).lt(0.5);
        var logits = randn(n, k, m, generator: generator);
        var codes = randint(0L, m, (long[])[n, k], dtype: ScalarType.Int64, generator: generator);
        var chosenCodes = rand(n, k, generator: generator).lt(0.5);
        double sum = 0;
        var count = 0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < c; j++)
            {
                if (!chosenNumbers[i, j].item<bool>())
                    continue;
                sum += Math.Pow(numbers[i, j].item<float>() - targets[i, j].item<float>(), 2);
                count++;
            }
            for (var j = 0; j < k; j++)
            {
                if (!chosenCodes[i, j].item<bool>())
                    continue;
                double total = 0;
                for (var e = 0; e < m; e++)
                    total += Math.Exp(logits[i, j, e].item<float>());
                sum += Math.Log(total) - logits[i, j, codes[i, j].item<long>()].item<float>();
                count++;
            }
        }
        var loss = CellReconstructionLoss.Compute(numbers, targets, chosenNumbers, logits, codes, chosenCodes);
        Assert.AreEqual(sum / count, loss.item<float>(), 1e-5);
        var cells = CellReconstructionLoss.PerCell(numbers, targets, logits, codes);
        Assert.AreEqual(sum, (cells * cat([chosenNumbers, chosenCodes], 1)).sum().item<float>(), 1e-4);
    }

    [TestMethod]
    public void AnalyticValues()
    {
        using var scope = NewDisposeScope();
        // Uniform scores of 8 entries cost log 8; entries that a category lacks do not count.
        var uniform = cat([zeros(4, 1, 8), full(4, 1, 3, -1e9f)], 2);
        var none = zeros(4, 0);
        var loss = CellReconstructionLoss.Compute(none, none, zeros(4, 0, dtype: ScalarType.Bool), uniform,
            ones(4, 1, dtype: ScalarType.Int64), ones(4, 1, dtype: ScalarType.Bool));
        Assert.AreEqual(Math.Log(8), loss.item<float>(), 1e-5);
        // Nothing chosen costs nothing.
        var nothing = CellReconstructionLoss.Compute(ones(4, 2), zeros(4, 2), zeros(4, 2, dtype: ScalarType.Bool), zeros(4, 0, 1),
            zeros(4, 0, dtype: ScalarType.Int64), zeros(4, 0, dtype: ScalarType.Bool));
        Assert.AreEqual(0, nothing.item<float>());
    }

    [TestMethod]
    public void ShapesThatDoNotFit()
    {
        using var scope = NewDisposeScope();
        var error = Assert.ThrowsExactly<ArgumentException>(() => CellReconstructionLoss.Compute(ones(4, 2), zeros(4, 3),
            zeros(4, 2, dtype: ScalarType.Bool),
            zeros(4, 0, 1), zeros(4, 0, dtype: ScalarType.Int64), zeros(4, 0, dtype: ScalarType.Bool)));
        StringAssert.Contains(error.Message, "[4, 2], [4, 3]");
    }
}
