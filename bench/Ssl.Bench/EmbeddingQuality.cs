using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Bench;

/// <summary>Accuracies of simple classifiers on frozen embeddings, in percent.</summary>
public sealed class EmbeddingQuality
{
    private const int Steps = 200;

    private static readonly double[] Strengths = [0.01, 0.1, 1];

    private readonly Tensor _training, _test, _labels, _testLabels;
    private readonly uint[] _classes;
    private readonly int _classCount;

    /// <summary>Takes embeddings and classes; call it within a dispose scope.</summary>
    public EmbeddingQuality(float[][] training, uint[] labels, float[][] test, uint[] testLabels)
    {
        (_training, _test) = (Matrix(training), Matrix(test));
        (_labels, _testLabels) = (Classes(labels), Classes(testLabels));
        _classes = labels;
        _classCount = (int)labels.Max() + 1;
    }

    /// <summary>Share of the test rows whose class most of their neighbors by cosine have.</summary>
    public double NearestNeighbors(int k)
    {
        using var scope = NewDisposeScope();
        Tensor Unit(Tensor x) => x / x.norm(1, keepdim: true).clamp_min(1e-9);
        var (training, hits) = (Unit(_training).t(), 0L);
        for (long first = 0; first < _test.shape[0]; first += 1000)
        {
            using var inner = NewDisposeScope();
            var near = Unit(_test.narrow(0, first, 1000)).mm(training).topk(k, 1).Item2;           // [1000, k]
            var votes = nn.functional.one_hot(_labels.index_select(0, near.flatten()).view(-1, k), _classCount).sum(1);
            hits += votes.argmax(1).eq(_testLabels.narrow(0, first, 1000)).sum().item<long>();
        }
        return 100.0 * hits / _test.shape[0];
    }

    /// <summary>Mean over draws of so many labeled rows, each class at least once.</summary>
    public double FewLabels(int count, int draws)
        => Enumerable.Range(0, draws).Average(seed =>
        {
            var order = Enumerable.Range(0, _classes.Length).ToArray();
            new Random(seed).Shuffle(order);
            int[] first = [.. order.DistinctBy(row => _classes[row])];
            return Linear([.. first.Concat(order.Except(first)).Take(count)]);
        });

    /// <summary>Logistic regression on standardized embeddings of these rows; its strength is chosen on a fifth of them.</summary>
    public double Linear(int[] rows)
    {
        using var scope = NewDisposeScope();
        var index = tensor(rows.Select(row => (long)row).ToArray());
        var (x, y) = (_training.index_select(0, index), _labels.index_select(0, index));
        var (mean, deviation) = (x.mean([0L], keepdim: true), x.std(0, keepdim: true).clamp_min(1e-6));
        x = (x - mean) / deviation;
        var test = (_test - mean) / deviation;
        var strength = Strengths[1];
        if (rows.Length <= 1_000)
        {
            long held = rows.Length / 5;
            strength = Strengths.MaxBy(c => Accuracy(Train(x.narrow(0, held, rows.Length - held), y.narrow(0, held, rows.Length - held), c),
                x.narrow(0, 0, held), y.narrow(0, 0, held)));
        }
        return 100 * Accuracy(Train(x, y, strength), test, _testLabels);
    }

    // Minimizes C x the summed cross entropy plus half of the squared weights, as scikit-learn does.
    private Tensor Train(Tensor x, Tensor y, double strength)
    {
        using var scope = NewDisposeScope();
        var inputs = cat([x, ones(x.shape[0], 1)], 1);
        var weights = zeros(inputs.shape[1], _classCount).requires_grad_();
        Tensor average = zeros_like(weights), square = zeros_like(weights);
        for (var step = 1; step <= Steps; step++)
        {
            using var inner = NewDisposeScope();
            var penalty = weights.narrow(0, 0, x.shape[1]).square().sum() / (2 * strength * x.shape[0]);
            var loss = nn.functional.cross_entropy(inputs.mm(weights), y) + penalty;
            loss.backward();
            using var noGrad = no_grad();
            var gradient = weights.grad!;
            average.mul_(0.9).add_(gradient, 0.1);
            square.mul_(0.99).addcmul_(gradient, gradient, 0.01);
            var scaled = (average / (1 - Math.Pow(0.9, step))) / ((square / (1 - Math.Pow(0.99, step))).sqrt() + 1e-8);
            weights.add_(scaled, -0.05 * 0.5 * (1 + Math.Cos(Math.PI * step / Steps)));
            gradient.zero_();
        }
        return weights.detach().MoveToOuterDisposeScope();
    }

    private static double Accuracy(Tensor weights, Tensor x, Tensor y)
    {
        using var scope = NewDisposeScope();
        return cat([x, ones(x.shape[0], 1)], 1).mm(weights).argmax(1).eq(y).to(ScalarType.Float32).mean().item<float>();
    }

    private static Tensor Matrix(float[][] rows)
    {
        var matrix = empty(rows.Length, rows[0].Length, dtype: ScalarType.Float32);
        var target = MemoryMarshal.Cast<byte, float>(matrix.bytes);
        for (var i = 0; i < rows.Length; i++)
            rows[i].CopyTo(target[(i * rows[0].Length)..]);
        return matrix;
    }

    private static Tensor Classes(uint[] labels) => tensor(labels.Select(label => (long)label).ToArray());
}
