using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Multinomial logistic regression on standardized embeddings, as the Python peers probe.</summary>
public static class LinearProbe
{
    // scikit-learn's C, the strongest penalty first.
    private static readonly double[] Strengths = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

    private const int Folds = 5;

    /// <summary>
    /// Accuracy on test rows in percent. The L2 penalty is chosen on the labeled rows alone, in five folds, where there are fewer than 2,000:
    /// the strongest whose loss is within a standard error of the best one's (Breiman et al., 1984, "Classification and Regression Trees").
    /// </summary>
    public static double Accuracy(float[][] training, int[] labels, float[][] test, int[] testLabels, int classes, int seed)
    {
        using var scope = NewDisposeScope();
        Tensor x = Matrix(training), y = tensor(labels.Select(l => (long)l).ToArray()), z = Matrix(test);
        var (mean, deviation) = (x.mean([0]), x.std(0, unbiased: false).clamp_min(1e-6));
        (x, z) = ((x - mean) / deviation, (z - mean) / deviation);
        var strength = training.Length < 2_000 ? Strength(x, y, classes, seed) : 0.3;
        return 100 * Right(Fit(x, y, classes, strength), z, tensor(testLabels.Select(l => (long)l).ToArray()));
    }

    private static double Strength(Tensor x, Tensor y, int classes, int seed)
    {
        var order = Enumerable.Range(0, (int)x.shape[0]).Select(i => (long)i).ToArray();
        new Random(seed).Shuffle(order);
        var losses = Strengths.Select(_ => new List<float>()).ToArray();
        for (var fold = 0; fold < Folds; fold++)
        {
            using var scope = NewDisposeScope();
            Tensor held = tensor(order.Where((_, i) => i % Folds == fold).ToArray()),
                used = tensor(order.Where((_, i) => i % Folds != fold).ToArray());
            for (var i = 0; i < Strengths.Length; i++)
                losses[i].AddRange(Losses(Fit(x.index_select(0, used), y.index_select(0, used), classes, Strengths[i]),
                    x.index_select(0, held), y.index_select(0, held)));
        }
        var best = losses.MinBy(list => list.Average())!;
        return Strengths[Array.FindIndex(losses, list => IsWithinAStandardError([.. list.Zip(best, (a, b) => (double)a - b)]))];
    }

    private static bool IsWithinAStandardError(double[] differences)
    {
        var mean = differences.Average();
        return mean <= Math.Sqrt(differences.Average(d => (d - mean) * (d - mean)) / differences.Length);
    }

    // Full-batch Adam on the penalized mean loss; the penalty is sklearn's for this strength C.
    private static (Tensor Weights, Tensor Bias) Fit(Tensor x, Tensor y, int classes, double strength)
    {
        using var scope = NewDisposeScope();
        const int Steps = 150;
        long n = x.shape[0];
        var weights = nn.Parameter(zeros(classes, x.shape[1]));
        var bias = nn.Parameter(zeros(classes));
        using var optimizer = optim.Adam([weights, bias], 0.03);
        for (var step = 0; step < Steps; step++)
        {
            using var each = NewDisposeScope();
            var loss = nn.functional.cross_entropy(nn.functional.linear(x, weights, bias), y)
                + weights.square().sum() * (0.5 / (strength * n));
            optimizer.zero_grad();
            loss.backward();
            foreach (var group in optimizer.ParamGroups)
                group.LearningRate = 0.03 * 0.5 * (1 + Math.Cos(Math.PI * step / Steps));
            optimizer.step();
        }
        return (weights.detach().MoveToOuterDisposeScope(), bias.detach().MoveToOuterDisposeScope());
    }

    private static float[] Losses((Tensor Weights, Tensor Bias) model, Tensor x, Tensor y)
        => nn.functional.cross_entropy(nn.functional.linear(x, model.Weights, model.Bias), y, reduction: nn.Reduction.None).data<float>()
            .ToArray();

    private static double Right((Tensor Weights, Tensor Bias) model, Tensor x, Tensor y)
        => nn.functional.linear(x, model.Weights, model.Bias).argmax(1).eq(y).to(ScalarType.Float32).mean().item<float>();

    private static Tensor Matrix(float[][] rows) => tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1);
}
