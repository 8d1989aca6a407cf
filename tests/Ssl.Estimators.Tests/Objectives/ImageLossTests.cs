using Ssl.Estimators.Objectives;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Objectives;

/// <summary>The losses of image methods against naive loops, analytic values and wrong arguments.</summary>
[TestClass]
public sealed class ImageLossTests
{
    private static readonly double[][] First = ContrastiveNaive.Values(0.2, 6, 4);
    private static readonly double[][] Second = ContrastiveNaive.Values(0.9, 6, 4);

    [TestMethod]
    public void DclIsItsDoubleLoop()
    {
        foreach (var sigma in (double?[])[null, 0.5])
        {
            double[][] all = [.. First, .. Second];
            int n = First.Length;
            double partners = First.Zip(Second, Cosine).Sum(c => Math.Exp(c / (sigma ?? 1)));
            double sum = 0;
            for (int i = 0; i < 2 * n; i++)
            {
                double negatives = 0;
                for (int k = 0; k < 2 * n; k++)
                {
                    if (k % n != i % n)
                        negatives += Math.Exp(Cosine(all[i], all[k]) / 0.2);
                }
                double positive = Cosine(all[i], all[(i + n) % (2 * n)]);
                double weight = sigma is null ? 1 : 2 - n * Math.Exp(positive / sigma.Value) / partners;
                sum += Math.Log(negatives) - weight * positive / 0.2;
            }
            using var scope = NewDisposeScope();
            Assert.AreEqual(sum / (2 * n), DclLoss.Compute(Matrix(First), Matrix(Second), 0.2, sigma).item<double>(), 1e-9);
        }
        using var outer = NewDisposeScope();
        Assert.AreEqual(Math.Log(10), DclLoss.Compute(ones(6, 3), ones(6, 3), 0.2).item<float>(), 1e-5, "equal vectors: log(2 N - 2)");
        Assert.Throws<ArgumentException>(() => DclLoss.Compute(ones(1, 3), ones(1, 3)));
    }

    [TestMethod]
    public void TheQueueLossIsItsLoop()
    {
        using var scope = NewDisposeScope();
        double[][] queue = [.. ContrastiveNaive.Values(1.7, 9, 4)
            .Select(row => row.Select(x => x / Math.Sqrt(row.Sum(y => y * y))).ToArray())];
        double sum = 0;
        for (int i = 0; i < First.Length; i++)
        {
            double own = Math.Exp(Cosine(First[i], Second[i]) / 0.3);
            sum -= Math.Log(own / (own + queue.Sum(row => Math.Exp(Cosine(First[i], row) / 0.3))));
        }
        Assert.AreEqual(sum / First.Length, QueueContrastiveLoss.Compute(Matrix(First), Matrix(Second), Matrix(queue), 0.3).item<double>(),
            1e-9);
        Assert.AreEqual(Math.Log(8), QueueContrastiveLoss.Compute(ones(3, 1), ones(3, 1), ones(7, 1)).item<float>(), 1e-5);
        Assert.Throws<ArgumentException>(() => QueueContrastiveLoss.Compute(ones(3, 2), ones(3, 2), ones(7, 3)));
    }

    [TestMethod]
    public void TheCosineLossGoesFromMinusOneToOne()
    {
        using var scope = NewDisposeScope();
        Assert.AreEqual(-First.Zip(Second, Cosine).Average(), CosineLoss.Compute(Matrix(First), Matrix(Second)).item<double>(), 1e-12);
        Assert.AreEqual(-1, CosineLoss.Compute(Matrix(First), Matrix(First) * 3).item<double>(), 1e-12);
        Assert.AreEqual(1, CosineLoss.Compute(Matrix(First), Matrix(First).neg()).item<double>(), 1e-12);
    }

    [TestMethod]
    public void BarlowTwinsIsItsDoubleLoop()
    {
        using var scope = NewDisposeScope();
        int n = First.Length, d = First[0].Length;
        double own = 0, others = 0;
        for (int i = 0; i < d; i++)
        {
            for (int j = 0; j < d; j++)
            {
                double c = Enumerable.Range(0, n).Sum(r => Standard(First, i)[r] * Standard(Second, j)[r]) / n;
                if (i == j)
                    own += (1 - c) * (1 - c);
                else
                    others += c * c;
            }
        }
        Assert.AreEqual(own + 0.01 * others, BarlowTwinsLoss.Compute(Matrix(First), Matrix(Second), 0.01).item<double>(), 1e-9);
        Assert.Throws<ArgumentException>(() => BarlowTwinsLoss.Compute(ones(1, 3), ones(1, 3)));
    }

    [TestMethod]
    public void VicRegIsItsLoops()
    {
        using var scope = NewDisposeScope();
        int n = First.Length, d = First[0].Length;
        double invariance = First.Zip(Second, (a, b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum()).Sum() / (n * d);
        double variance = 0, covariance = 0;
        foreach (var z in (double[][][])[First, Second])
        {
            for (int i = 0; i < d; i++)
            {
                for (int j = 0; j < d; j++)
                {
                    double mi = z.Average(r => r[i]), mj = z.Average(r => r[j]);
                    double c = z.Sum(r => (r[i] - mi) * (r[j] - mj)) / (n - 1);
                    if (i == j)
                        variance += Math.Max(0, 1 - Math.Sqrt(c + 1e-4)) / d / 2;
                    else
                        covariance += c * c / d;
                }
            }
        }
        var terms = VicRegLoss.Compute(Matrix(First), Matrix(Second));
        Assert.AreEqual(invariance, terms.Invariance.item<double>(), 1e-9);
        Assert.AreEqual(variance, terms.Variance.item<double>(), 1e-9);
        Assert.AreEqual(covariance, terms.Covariance.item<double>(), 1e-9);
        var collapsed = VicRegLoss.Compute(ones(5, 3), ones(5, 3));
        Assert.AreEqual(0.99, collapsed.Variance.item<float>(), 1e-5, "equal vectors: 1 less the root of epsilon");
        Assert.AreEqual(0, collapsed.Covariance.item<float>(), 1e-9);
    }

    [TestMethod]
    public void RebuiltPatchesAreComparedPatchByPatch()
    {
        using var scope = NewDisposeScope();
        var patches = Matrix(First).view(2, 3, 4);
        var predictions = Matrix(Second).view(2, 3, 4);
        double squared = 0, absolute = 0;
        for (int row = 0; row < First.Length; row++)
        {
            double mean = First[row].Average(), deviation = Math.Sqrt(First[row].Sum(x => (x - mean) * (x - mean)) / 3 + 1e-6);
            squared += First[row].Zip(Second[row], (x, p) => Math.Pow((x - mean) / deviation - p, 2)).Average() / First.Length;
            absolute += First[row].Zip(Second[row], (x, p) => Math.Abs(x - p)).Average() / First.Length;
        }
        Assert.AreEqual(squared, PatchReconstructionLoss.Squared(predictions, patches).item<double>(), 1e-9);
        Assert.AreEqual(absolute, PatchReconstructionLoss.Absolute(predictions, patches).item<double>(), 1e-12);
        Assert.AreEqual(0, PatchReconstructionLoss.Squared(patches, patches, normalizesPatches: false).item<double>(), 1e-12);
        Assert.Throws<ArgumentException>(() => PatchReconstructionLoss.Squared(patches, patches.narrow(1, 0, 2)));
    }

    [TestMethod]
    public void PatchesOfOneValueHaveNoDeviationAndStayAsTheyAre()
    {
        using var scope = NewDisposeScope();
        var patches = Matrix(First).view(-1, 1, 1);
        Assert.AreEqual(PatchReconstructionLoss.Squared(patches * 2, patches, normalizesPatches: false).item<double>(),
            PatchReconstructionLoss.Squared(patches * 2, patches).item<double>());
    }

    [TestMethod]
    public void OneOfFourHiddenStepsIsFoundAmongAllOthers()
    {
        using var scope = NewDisposeScope();
        // Five steps, of which the second is seen; a prediction points at its own step only in the fourth.
        var targets = eye(5, dtype: ScalarType.Float32).unsqueeze(0);
        var predicted = targets.index_select(1, tensor(new long[] { 2, 1, 0, 3, 2 }));
        var hidden = tensor(new[] { true, false, true, true, true }).unsqueeze(0);
        var draws = tensor(Enumerable.Range(0, 15).Select(i => i % 3 / 3f + 0.1f).ToArray()).view(1, 5, 3);
        var (loss, accuracy) = SampledContrastLoss.Compute(predicted, targets, hidden, null, draws, 1);
        Assert.AreEqual(0.25f, accuracy.item<float>());
        // Of three others none is pointed at in the fourth step; one is in each of the others.
        double right = Math.Log(Math.E + 3) - 1, wrong = Math.Log(Math.E + 3);
        Assert.AreEqual((right + 3 * wrong) / 4, loss.item<float>(), 1e-5);
    }

    [TestMethod]
    public void AssignmentsAreEvenAndRowsSumToOne()
    {
        using var scope = NewDisposeScope();
        var scores = Matrix(ContrastiveNaive.Values(0.4, 12, 4)) / 2;
        var even = SinkhornAssignment.Compute(scores, 0.2, 200);
        Assert.IsLessThan(1e-6, (even.sum(1) - 1).abs().max().item<double>());
        Assert.IsLessThan(1e-4, (even.sum(0L) - 3).abs().max().item<double>(), "12 rows over 4 prototypes");
        // Three rounds by the plain definition, on exponentials.
        var q = scores.div(0.2).exp();
        for (int i = 0; i < 3; i++)
        {
            q = q / q.sum(0, keepdim: true) / 4;
            q = q / q.sum(1, keepdim: true) / 12;
        }
        Assert.IsLessThan(1e-9, (SinkhornAssignment.Compute(scores, 0.2, 3) - q * 12).abs().max().item<double>());
        Assert.IsTrue(SinkhornAssignment.Compute(ones(5, 3) * 1e4).isfinite().all().item<bool>());
        Assert.Throws<ArgumentOutOfRangeException>(() => SinkhornAssignment.Compute(scores, 0));
    }

    [TestMethod]
    public void SoftTargetsAreCrossEntropy()
    {
        using var scope = NewDisposeScope();
        var targets = Matrix(First).softmax(1);
        double sum = 0;
        for (int i = 0; i < First.Length; i++)
        {
            double all = Second[i].Sum(x => Math.Exp(x / 0.3)), weights = First[i].Sum(Math.Exp);
            sum -= First[i].Zip(Second[i], (t, s) => Math.Exp(t) / weights * (s / 0.3 - Math.Log(all))).Sum();
        }
        Assert.AreEqual(sum / First.Length, SoftTargetLoss.Compute(targets, Matrix(Second), 0.3).item<double>(), 1e-9);
        Assert.AreEqual(Math.Log(4), SoftTargetLoss.Compute(targets, zeros(6, 4)).item<double>(), 1e-6, "even predictions cost log K");
    }

    [TestMethod]
    public void LossesDoNotCareWhichViewIsFirst()
    {
        using var scope = NewDisposeScope();
        Assert.AreEqual(DclLoss.Compute(Matrix(First), Matrix(Second))
            .item<double>(), DclLoss.Compute(Matrix(Second), Matrix(First)).item<double>(), 1e-9);
        Assert.AreEqual(BarlowTwinsLoss.Compute(Matrix(First), Matrix(Second)).item<double>(),
            BarlowTwinsLoss.Compute(Matrix(Second), Matrix(First)).item<double>(), 1e-9);
    }

    private static double[] Standard(double[][] z, int column)
    {
        double mean = z.Average(r => r[column]), variance = z.Average(r => Math.Pow(r[column] - mean, 2));
        return [.. z.Select(r => (r[column] - mean) / Math.Sqrt(variance + 1e-5))];
    }

    private static double Cosine(double[] a, double[] b)
        => a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));

    private static Tensor Matrix(double[][] rows) => tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1).clone();
}
