using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tasks;

/// <summary>Strengths of a penalty on the weights, for the mean loss of a row. Both at least 0; biases have none.</summary>
/// <param name="L1">Of the sum of absolute weights.</param>
/// <param name="L2">Of half the sum of squared weights.</param>
internal readonly record struct Penalty(double L1, double L2);

/// <summary>
/// Multinomial logistic regression on a matrix of features, with targets that may be soft and rows that may count more than others.
/// </summary>
/// <remarks>
/// Andrew and Gao, "Scalable training of L1-regularized log-linear models", ICML 2007: L-BFGS within the orthant that the pseudo-gradient
/// points into; without L1 it is plain L-BFGS. ML.NET's LbfgsMaximumEntropy minimizes the same; here all rows are one matrix product,
/// targets are probabilities, and a solution starts from that of a neighboring penalty.
/// </remarks>
internal static class SoftmaxRegression
{
    private const int Memory = 10;
    private const double SufficientDecrease = 1e-4;

    private static readonly Scalar s_zero = Number(0.0);

    /// <summary>Fits weights and biases.</summary>
    /// <param name="features">[N, D].</param>
    /// <param name="targets">Probabilities of the classes, Single [N, K], the caller's.</param>
    /// <param name="rowWeights">Single [N], not negative, or null where all rows count the same; the caller's.</param>
    /// <param name="penalty">Of the weights.</param>
    /// <param name="start">Where to start; null starts from 0.</param>
    /// <param name="maximumIterations">Steps at most.</param>
    /// <param name="tolerance">Ends when a step lowers the loss by less than this share of it.</param>
    /// <param name="cancellationToken">Ends the search with the weights so far.</param>
    /// <returns>Weights and, in the last row, biases: Single [D + 1, K], in the caller's dispose scope.</returns>
    public static Tensor Fit(DesignMatrix features, Tensor targets, Tensor? rowWeights, Penalty penalty, Tensor? start = null,
        int maximumIterations = 150, double tolerance = 1e-5, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long rows = features.Rows, width = features.Width, classes = targets.shape[1];
        var shares = rowWeights is null ? full([rows, 1], Number(1.0 / rows), ScalarType.Float32) : rowWeights.div(rowWeights.sum()).unsqueeze(1);          // [N, 1]
        // The biases' row has no penalty.
        var penalized = ones(width + 1, 1, ScalarType.Float32);
        penalized[-1] = zeros(1, ScalarType.Float32);

        var point = start is null ? zeros(width + 1, classes, ScalarType.Float32) : start.clone();
        var (loss, gradient) = Evaluate(point);
        using var history = new History(point.numel());
        for (var iteration = 0; iteration < maximumIterations && !cancellationToken.IsCancellationRequested; iteration++)
        {
            using var each = NewDisposeScope();
            var pseudo = PseudoGradient(point, gradient);
            var direction = history.Direction(pseudo);
            if (penalty.L1 > 0)
                direction = direction.mul(direction.mul(pseudo).lt(s_zero));
            var slope = Inner(direction, pseudo);
            if (!(slope < 0))
                break;
            var orthant = penalty.L1 > 0 ? where(point.eq(s_zero), pseudo.neg().sign(), point.sign()) : null;
            var size = iteration == 0 ? Math.Min(1, 1 / Math.Sqrt(-slope)) : 1.0;
            Tensor? next = null, nextGradient = null;
            double nextLoss = double.NaN, decrease = 0;
            for (var halving = 0; halving < 30 && next is null; halving++, size /= 2)
            {
                using var trial = NewDisposeScope();
                var candidate = point.add(direction, Number(size));
                if (orthant is not null)
                    candidate = candidate.mul(candidate.mul(orthant).gt(s_zero).logical_or(penalized.eq(s_zero)));
                var (candidateLoss, candidateGradient) = Evaluate(candidate);
                decrease = loss - candidateLoss;
                var expected = orthant is null ? size * slope : Inner(candidate.sub(point), pseudo);
                if (decrease >= -SufficientDecrease * expected)
                {
                    (next, nextGradient, nextLoss)
                        = (candidate.MoveToOuterDisposeScope(), candidateGradient.MoveToOuterDisposeScope(), candidateLoss);
                }
            }
            if (next is null)
                break;
            history.Add(next.sub(point), nextGradient!.sub(gradient));
            point.Dispose();
            gradient.Dispose();
            (point, gradient) = (next.MoveToOuterDisposeScope(), nextGradient!.MoveToOuterDisposeScope());
            var previous = loss;
            loss = nextLoss;
            if (decrease <= tolerance * Math.Max(previous, 1e-3))
                break;
        }
        return point.MoveToOuterDisposeScope();

        // The penalized loss, and the gradient of its smooth part.
        (double Loss, Tensor Gradient) Evaluate(Tensor parameters)
        {
            using var evaluation = NewDisposeScope();
            var logProbabilities = Logits(features, parameters).log_softmax(1);
            var weights = parameters.mul(penalized);
            var value = -(double)logProbabilities.mul(targets).mul(shares).sum().Value<float>()
                + penalty.L2 / 2 * Inner(weights, weights) + (penalty.L1 == 0 ? 0 : penalty.L1 * (double)weights.abs().sum().Value<float>());
            // Targets sum to 1, so that the gradient by the logits is probabilities - targets.
            var error = logProbabilities.exp().sub(targets).mul(shares);                                               // [N, K]
            var slope = cat([features.TransposedTimes(error), error.sum(dim: 0L, keepdim: true)]);                           // [D + 1, K]
            return (value, slope.add(weights, Number(penalty.L2)).MoveToOuterDisposeScope());
        }

        Tensor PseudoGradient(Tensor parameters, Tensor slope)
        {
            if (penalty.L1 == 0)
                return slope.clone();
            var l1 = penalized.mul(Number(penalty.L1));
            var (up, down) = (slope.add(l1, One), slope.sub(l1));
            var atZero = where(down.gt(s_zero), down, where(up.lt(s_zero), up, zeros_like(slope)));
            return where(parameters.gt(s_zero), up, where(parameters.lt(s_zero), down, atZero));
        }
    }

    /// <summary>Log-odds of the classes, Single [N, K].</summary>
    public static Tensor Logits(DesignMatrix features, Tensor parameters)
        => features.Times(parameters.narrow(0, 0, features.Width)).add_(parameters.narrow(0, -1, 1), One);

    private static double Inner(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        return a.flatten().dot(b.flatten()).Value<float>();
    }

    // The last steps and the changes of the gradient over them. The two loops of L-BFGS (Nocedal and Wright, "Numerical Optimization",
    // algorithm 7.4) run on inner products alone, as in Chen, Wang and Zhou, "Large-scale L-BFGS using MapReduce", NeurIPS 2014: three
    // calls an iteration instead of forty.
    private sealed class History(long size) : IDisposable
    {
        private const int Last = 2 * Memory;

        // Steps, changes, and the gradient that is asked about: [2M + 1, size].
        private readonly Tensor _vectors = zeros(Last + 1, size, ScalarType.Float32).DetachFromDisposeScope();
        private readonly List<int> _order = [];

        public void Add(Tensor step, Tensor change)
        {
            var curvature = Inner(step, change);
            if (!(curvature > 1e-10 * Inner(change, change)))
                return;
            var place = _order.Count < Memory ? _order.Count : _order[0];
            _order.Remove(place);
            _order.Add(place);
            using var scope = NewDisposeScope();
            _vectors[place].copy_(step.flatten());
            _vectors[Memory + place].copy_(change.flatten());
        }

        // Downhill, in the caller's dispose scope.
        public Tensor Direction(Tensor gradient)
        {
            using var scope = NewDisposeScope();
            _vectors[Last].copy_(gradient.flatten());
            if (_order.Count == 0)
                return gradient.neg().MoveToOuterDisposeScope();
            var inner = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(_vectors.mm(_vectors.t()).contiguous().bytes);
            var share = new double[Last + 1];
            share[Last] = -1;
            var factors = new double[Memory];
            for (var i = _order.Count - 1; i >= 0; i--)
            {
                var (s, y) = (_order[i], Memory + _order[i]);
                factors[i] = Product(inner, s, share) / inner[s * (Last + 1) + y];
                share[y] -= factors[i];
            }
            var newest = _order[^1];
            var scale = inner[newest * (Last + 1) + Memory + newest] / inner[(Memory + newest) * (Last + 2)];
            for (var i = 0; i < share.Length; i++)
                share[i] *= scale;
            for (var i = 0; i < _order.Count; i++)
            {
                var (s, y) = (_order[i], Memory + _order[i]);
                share[s] += factors[i] - Product(inner, y, share) / inner[s * (Last + 1) + y];
            }
            return tensor(share, [1, share.Length], ScalarType.Float32).mm(_vectors).view(gradient.shape).MoveToOuterDisposeScope();
        }

        public void Dispose() => _vectors.Dispose();

        private static double Product(ReadOnlySpan<float> inner, int vector, double[] share)
        {
            var sum = 0.0;
            for (var i = 0; i < share.Length; i++)
                sum += share[i] * inner[vector * (Last + 1) + i];
            return sum;
        }
    }
}
