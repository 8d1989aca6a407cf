using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>
/// Multinomial logistic regression on standardised embeddings, as the Python peers probe, and what is told without labels.
/// </summary>
public static class LinearProbe
{
    /// <summary>Random rows: each class at least once, then any.</summary>
    public static int[] Pick(int[] labels, int count, int seed)
    {
        var order = Enumerable.Range(0, labels.Length).ToArray();
        new Random(seed).Shuffle(order);
        var first = order.DistinctBy(i => labels[i]).ToHashSet();
        return [.. first, .. order.Where(i => !first.Contains(i)).Take(Math.Max(0, count - first.Count))];
    }

    /// <summary>
    /// Accuracy on test rows in percent. The L2 penalty is chosen by the loss on a fifth of the labelled rows where there are fewer than
    /// 2,000.
    /// </summary>
    public static double Accuracy(float[][] training, int[] labels, float[][] test, int[] testLabels, int classes, int seed)
    {
        using var scope = NewDisposeScope();
        Tensor x = Matrix(training), y = tensor(labels.Select(l => (long)l).ToArray()), z = Matrix(test);
        var (mean, deviation) = (x.mean([0]), x.std(0, unbiased: false).clamp_min(1e-6));
        (x, z) = ((x - mean) / deviation, (z - mean) / deviation);
        double[] strengths = training.Length < 2_000 ? [0.001, 0.01, 0.1, 1] : [0.3];
        var best = strengths[0];
        if (strengths.Length > 1)
        {
            var order = Enumerable.Range(0, labels.Length).Select(i => (long)i).ToArray();
            new Random(seed).Shuffle(order);
            var kept = Math.Max(1, order.Length / 5);
            Tensor held = tensor(order[..kept]), used = tensor(order[kept..]);
            best = strengths.MinBy(strength => Loss(Fit(x.index_select(0, used), y.index_select(0, used), classes, strength), x.index_select(0, held), y.index_select(0, held)));
        }
        return 100 * Right(Fit(x, y, classes, best), z, tensor(testLabels.Select(l => (long)l).ToArray()));
    }

    /// <summary>
    /// Effective rank of embeddings: the exponential of the entropy of their singular values' shares (Garrido et al., "RankMe", 2023), on
    /// at most 2,000 rows, standardised.
    /// </summary>
    public static double EffectiveRank(float[][] embeddings)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var x = Matrix(embeddings.Length > 2_000 ? embeddings[..2_000] : embeddings);
        x = (x - x.mean([0])) / x.std(0, unbiased: false).clamp_min(1e-6);
        var values = linalg.eigvalsh(x.t().mm(x)).clamp_min(0).sqrt();
        var shares = values / values.sum() + 1e-7;
        return (shares * shares.log()).sum().neg().exp().item<float>();
    }

    // Full-batch Adam on the penalised mean loss; the penalty is sklearn's for this strength C.
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
            var loss = nn.functional.cross_entropy(nn.functional.linear(x, weights, bias), y) + weights.square().sum() * (0.5 / (strength * n));
            optimizer.zero_grad();
            loss.backward();
            foreach (var group in optimizer.ParamGroups)
                group.LearningRate = 0.03 * 0.5 * (1 + Math.Cos(Math.PI * step / Steps));
            optimizer.step();
        }
        return (weights.detach().MoveToOuterDisposeScope(), bias.detach().MoveToOuterDisposeScope());
    }

    private static double Loss((Tensor Weights, Tensor Bias) model, Tensor x, Tensor y)
        => nn.functional.cross_entropy(nn.functional.linear(x, model.Weights, model.Bias), y).item<float>();

    private static double Right((Tensor Weights, Tensor Bias) model, Tensor x, Tensor y)
        => nn.functional.linear(x, model.Weights, model.Bias).argmax(1).eq(y).to(ScalarType.Float32).mean().item<float>();

    private static Tensor Matrix(float[][] rows) => tensor(rows.SelectMany(row => row).ToArray()).view(rows.Length, -1);
}
