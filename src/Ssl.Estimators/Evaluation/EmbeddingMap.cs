using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Evaluation;

/// <summary>Vectors as points of a plane, to be looked at.</summary>
internal static class EmbeddingMap
{
    private const int Rounds = 500, ExaggeratedRounds = 125;
    private const double Exaggeration = 12, Perplexity = 30;

    /// <summary>The two directions in which the vectors differ most.</summary>
    /// <param name="vectors">Single or Double [N, D], finite.</param>
    /// <returns>A point for each, around 0, and the shares of the variance that the two directions have.</returns>
    public static ((double X, double Y)[] Points, double FirstShare, double SecondShare) PrincipalComponents(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var centered = Centered(vectors);
        var (directions, variances, total) = Components(centered, 2);
        return (Points(centered.mm(directions)), variances[0] / total, variances[1] / total);
    }

    /// <summary>
    /// t-SNE: neighbors stay neighbors, distances between groups mean little. Exact, so for at most a few thousand vectors.
    /// </summary>
    /// <remarks>
    /// van der Maaten and Hinton, 2008; begun at the principal components, which keeps the groups' places and makes it the same every time (Kobak
    /// and Berens, 2019), with the step size of Belkina et al., 2019.
    /// </remarks>
    /// <param name="vectors">Single or Double [N, D], finite; at least four.</param>
    /// <param name="cancellationToken">Ends it with the points as they are.</param>
    public static (double X, double Y)[] Neighborhoods(Tensor vectors, CancellationToken cancellationToken = default)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var count = vectors.shape[0];
        var centered = Centered(vectors);
        var joint = Affinities(centered, Math.Min(Perplexity, (count - 1) / 3.0)).to(ScalarType.Float32);               // [N, N]
        var (directions, variances, _) = Components(centered, 2);
        var places = centered.mm(directions).div(Number(Math.Max(Math.Sqrt(variances[0]), 1e-12))).mul(Number(1e-4)).to(ScalarType.Float32);
        var velocity = zeros_like(places);
        var gains = ones_like(places);
        var self = eye(count, dtype: ScalarType.Bool);
        var rate = Math.Max(count / Exaggeration / 4, 50);
        for (var round = 0; round < Rounds && !cancellationToken.IsCancellationRequested; round++)
        {
            using var each = NewDisposeScope();
            var isEarly = round < ExaggeratedRounds;
            var closeness = SquaredDistances(places).add(One, One).reciprocal().masked_fill(self, Number(0.0));
            var share = closeness.div(closeness.sum());
            var pull = (isEarly ? joint.mul(Number(Exaggeration)) : joint).sub(share).mul(closeness);                     // [N, N]
            var gradient = places.mul(pull.sum(1).unsqueeze(1)).sub(pull.mm(places)).mul(Number(4.0));
            // Jacobs' rule: faster where the direction stays, slower where it turns.
            var turns = gradient.mul(velocity).gt(Number(0.0));
            var nextGains = where(turns, gains.mul(Number(0.8)), gains.add(Number(0.2), One)).clamp_min(Number(0.01));
            var nextVelocity = velocity.mul(Number(isEarly ? 0.5 : 0.8)).sub(nextGains.mul(gradient).mul(Number(rate)));
            gains.copy_(nextGains);
            velocity.copy_(nextVelocity);
            places.add_(nextVelocity, One);
            places.sub_(places.mean([0]));
        }
        return Points(places);
    }

    private static Tensor Centered(Tensor vectors)
    {
        var all = vectors.to(ScalarType.Float64);
        return all.sub(all.mean([0]));
    }

    // Directions [D, k] of the largest variances; a direction's sign is that which makes its largest share positive.
    private static (Tensor Directions, double[] Variances, double Total) Components(Tensor centered, int count)
    {
        var (_, singular, rows) = linalg.svd(centered, fullMatrices: false);
        var variances = singular.pow(Number(2));
        var have = (int)Math.Min(count, rows.shape[0]);
        var chosen = zeros([centered.shape[1], count], ScalarType.Float64);
        chosen.narrow(1, 0, have).copy_(rows.narrow(0, 0, have).t());
        var largest = chosen.gather(0, chosen.abs().argmax(0, keepdim: true));
        double[] found = [.. Doubles(variances.narrow(0, 0, have)), .. new double[count - have]];
        return (chosen.mul(largest.sign()), found,
            Math.Max(variances.sum().Value<double>(), double.Epsilon));
    }

    // Of every vector the widths of its neighborhood are searched for at once: that in which about so many others count. Then made symmetric.
    private static Tensor Affinities(Tensor vectors, double perplexity)
    {
        var count = vectors.shape[0];
        var self = eye(count, dtype: ScalarType.Bool);
        var distances = SquaredDistances(vectors);
        distances = distances.div(distances.mean().clamp_min(Number(1e-300))).masked_fill(self, Number(double.PositiveInfinity));
        var nearest = distances.min(1, keepdim: true).values;
        distances = distances.sub(nearest);
        Tensor low = zeros([count, 1], ScalarType.Float64).add(Number(1e-10), One), high = low.mul(Number(1e24));
        var target = Math.Log(perplexity);
        Tensor shares = null!;
        for (var i = 0; i < 64; i++)
        {
            // Between orders of magnitude.
            var precision = low.mul(high).sqrt();
            shares = distances.mul(precision).neg().softmax(1);
            var entropy = shares.mul(shares.clamp_min(Number(1e-300)).log()).sum(dim: 1L, keepdim: true).neg();
            var isWide = entropy.gt(Number(target));
            (low, high) = (where(isWide, precision, low), where(isWide, high, precision));
        }
        return shares.add(shares.t(), One).div(Number(2.0 * count));
    }

    private static Tensor SquaredDistances(Tensor points)
    {
        var lengths = points.pow(Number(2)).sum(1).unsqueeze(1);
        return lengths.add(lengths.t(), One).sub(points.mm(points.t()).mul(Number(2.0))).clamp_min(Number(0.0));
    }

    private static (double X, double Y)[] Points(Tensor places)
    {
        var values = Doubles(places);
        return [.. Enumerable.Range(0, values.Length / 2).Select(i => (values[2 * i], values[2 * i + 1]))];
    }

    private static double[] Doubles(Tensor values)
        => MemoryMarshal.Cast<byte, double>(values.to(ScalarType.Float64).contiguous().bytes).ToArray();
}
