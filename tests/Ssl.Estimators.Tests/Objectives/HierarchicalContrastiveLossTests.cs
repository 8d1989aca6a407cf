using System.Runtime.InteropServices;
using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

/// <summary>TS2Vec's loss against plain loops over its definition.</summary>
[TestClass]
public sealed class HierarchicalContrastiveLossTests
{
    [TestMethod]
    [DataRow(3, 8, 0.5)]
    [DataRow(3, 7, 0.5)]
    [DataRow(2, 1, 0.5)]
    [DataRow(1, 5, 0.5)]
    [DataRow(4, 6, 0.0)]
    [DataRow(4, 6, 1.0)]
    public void EqualsNaiveLoops(int series, int length, double weight)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var first = randn(series, length, 4, generator: generator);
        var second = randn(series, length, 4, generator: generator);
        var loss = HierarchicalContrastiveLoss.Compute(first, second, weight).item<float>();
        Assert.AreEqual(Naive(Cube(first), Cube(second), weight), loss, 1e-4);
    }

    [TestMethod]
    public void EqualEncodingsGiveTheLogarithmOfTheNumberOfOthers()
    {
        using var scope = NewDisposeScope();
        var same = ones(4, 1, 3);
        Assert.AreEqual(0.5 * Math.Log(2 * 4 - 1), HierarchicalContrastiveLoss.Compute(same, same).item<float>(), 1e-5);
    }

    [TestMethod]
    public void PaddingDoesNotCount()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var (first, second) = (randn(3, 8, 4, generator: generator), randn(3, 8, 4, generator: generator));
        var none = ones(3, 8, dtype: ScalarType.Bool);
        Assert.AreEqual(HierarchicalContrastiveLoss.Compute(first, second).item<float>(),
            HierarchicalContrastiveLoss.Compute(first, second, mask: none).item<float>(), 1e-5, "a mask without padding");

        // What stands in the padding changes nothing, the values inside do.
        var mask = arange(8).unsqueeze(0).lt(tensor([8, 5, 3]).unsqueeze(1));
        var loss = HierarchicalContrastiveLoss.Compute(first, second, mask: mask).item<float>();
        var outside = mask.logical_not().unsqueeze(-1);
        Assert.AreEqual(loss,
            HierarchicalContrastiveLoss.Compute(first.masked_fill(outside, 9), second.masked_fill(outside, -7), mask: mask)
            .item<float>(), 1e-5);
        Assert.AreNotEqual(loss, HierarchicalContrastiveLoss.Compute(first + mask.unsqueeze(-1), second, mask: mask).item<float>(), 1e-3);

        // Series of nothing but padding leave the loss of the others as it is alone.
        var two = cat([ones(2, 8, dtype: ScalarType.Bool), zeros(1, 8, dtype: ScalarType.Bool)]);
        Assert.AreEqual(HierarchicalContrastiveLoss.Compute(first.narrow(0, 0, 2), second.narrow(0, 0, 2)).item<float>(),
            HierarchicalContrastiveLoss.Compute(first, second, mask: two).item<float>(), 1e-5);
    }

    [TestMethod]
    public void GradientsAreFiniteWherePaddingMeetsPadding()
    {
        using var scope = NewDisposeScope();
        var first = ones(2, 4, 3, requires_grad: true);
        HierarchicalContrastiveLoss.Compute(first, ones(2, 4, 3), mask: arange(4).unsqueeze(0).lt(tensor([4, 1]).unsqueeze(1))).backward();
        Assert.IsTrue(first.grad!.isfinite().all().item<bool>());
    }

    [TestMethod]
    public void OtherShapesAreRefused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => HierarchicalContrastiveLoss.Compute(ones(2, 3, 4), ones(2, 4, 4)));
        Assert.Throws<ArgumentException>(() => HierarchicalContrastiveLoss.Compute(ones(2, 3), ones(2, 3)));
        Assert.Throws<ArgumentException>(() => HierarchicalContrastiveLoss.Compute(ones(2, 3, 4), ones(2, 3, 4), mask: ones(2, 4)));
    }

    private static double[][][] Cube(Tensor t) => [.. Enumerable.Range(0, (int)t.shape[0]).Select(n => Enumerable.Range(0, (int)t.shape[1])
        .Select(s => MemoryMarshal.Cast<byte, float>(t[n, s].contiguous().bytes).ToArray().Select(v => (double)v).ToArray()).ToArray())];

    private static double Naive(double[][][] a, double[][][] b, double weight)
    {
        double total = 0;
        for (var scales = 1; ; scales++)
        {
            var (n, length) = (a.Length, a[0].Length);
            if (n > 1)
                total += weight * Enumerable.Range(0, length).Average(t => Rows([.. a.Select(s => s[t])], [.. b.Select(s => s[t])]));
            if (length > 1)
                total += (1 - weight) * Enumerable.Range(0, n).Average(i => Rows(a[i], b[i]));
            if (length == 1)
                return total / scales;
            (a, b) = (Halved(a), Halved(b));
        }
    }

    private static double Rows(double[][] a, double[][] b)
    {
        double[][] all = [.. a, .. b];
        double sum = 0;
        for (var i = 0; i < all.Length; i++)
        {
            var partner = (i + a.Length) % all.Length;
            sum += Math.Log(Enumerable.Range(0, all.Length).Where(j => j != i).Sum(j => Math.Exp(Dot(all[i], all[j])))) - Dot(all[i],
                all[partner]);
        }
        return sum / all.Length;
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static double[][][] Halved(double[][][] a) => [.. a.Select(s => Enumerable.Range(0, s.Length / 2)
        .Select(t => s[2 * t].Zip(s[2 * t + 1], Math.Max).ToArray()).ToArray())];
}
