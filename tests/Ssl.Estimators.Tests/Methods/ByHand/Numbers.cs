using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Methods.ByHand;

/// <summary>
/// Arithmetic of the reference losses: loops over plain arrays in double precision. Nothing of torch but reading its numbers, and nothing
/// of the losses under test.
/// </summary>
internal static class Numbers
{
    /// <summary>The relative error allowed between a loss in Single precision and the one computed by hand.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>All numbers of a tensor, row by row.</summary>
    public static double[] Values(Tensor tensor) => [.. TestSeries.Floats(tensor.detach()).Select(value => (double)value)];

    /// <summary>The rows of [N, D].</summary>
    public static double[][] Rows(Tensor tensor) => [.. Values(tensor).Chunk((int)tensor.shape[1])];

    /// <summary>The rows of [N, P, D], sample after sample.</summary>
    public static double[][][] Cubes(Tensor tensor)
        => [.. Values(tensor).Chunk((int)tensor.shape[2]).Chunk((int)tensor.shape[1])];

    /// <summary>[V x N, D] as V parts of [N, D].</summary>
    public static double[][][] Parts(Tensor tensor, int parts) => [.. Rows(tensor).Chunk((int)tensor.shape[0] / parts)];

    /// <summary>Rows as a tensor, for a head to be called with.</summary>
    public static Tensor ToTensor(IReadOnlyList<double[]> rows)
    {
        float[] values = [.. rows.SelectMany(row => row).Select(value => (float)value)];
        return tensor(values, [rows.Count, rows[0].Length]);
    }

    /// <summary>Rows of rows as a tensor.</summary>
    public static Tensor ToTensor(IReadOnlyList<double[][]> cubes)
        => ToTensor([.. cubes.SelectMany(rows => rows)]).view(cubes.Count, cubes[0].Length, -1);

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    /// <summary>The vector at length 1.</summary>
    public static double[] Unit(double[] vector)
    {
        double length = Math.Sqrt(Dot(vector, vector));
        return [.. vector.Select(value => value / length)];
    }

    public static double Cosine(double[] a, double[] b) => Dot(Unit(a), Unit(b));

    public static double SquaredDistance(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    public static double LogSumExp(IEnumerable<double> scores)
    {
        double[] all = [.. scores];
        double highest = all.Max();
        return highest + Math.Log(all.Sum(score => Math.Exp(score - highest)));
    }

    public static double[] Softmax(double[] scores)
    {
        double whole = LogSumExp(scores);
        return [.. scores.Select(score => Math.Exp(score - whole))];
    }

    /// <summary>-log softmax at the right class.</summary>
    public static double CrossEntropy(double[] scores, int right) => LogSumExp(scores) - scores[right];

    /// <summary>-sum of target x log softmax.</summary>
    public static double CrossEntropy(double[] scores, double[] target)
    {
        double whole = LogSumExp(scores);
        return -target.Zip(scores, (share, score) => share * (score - whole)).Sum();
    }

    public static double[] Divided(double[] scores, double temperature) => [.. scores.Select(score => score / temperature)];

    /// <summary>Mean over the rows of the cross entropy of all cosines with the partner, in this direction only.</summary>
    public static double OneDirection(double[][] queries, double[][] keys, double temperature)
        => queries.Select((query, i) => CrossEntropy([.. keys.Select(key => Cosine(query, key) / temperature)], i)).Average();

    /// <summary>Fails unless a scalar is the number that was computed by hand.</summary>
    public static void AreEqual(double expected, Tensor actual, string what = "loss", double relative = Tolerance)
        => Assert.AreEqual(expected, actual.item<float>(), relative * Math.Abs(expected), what);

    /// <summary>Fails unless a named term is the number that was computed by hand.</summary>
    public static void AreEqual(double expected, StepLoss actual, string term)
        => AreEqual(expected, actual.Terms.Single(entry => entry.Name == term).Value, term);

    /// <summary>Fails unless all numbers are those that were computed by hand, up to 1e-5 beside numbers of about 1.</summary>
    public static void AreEqual(IEnumerable<double> expected, Tensor actual, string what)
    {
        double[] numbers = [.. expected], values = Values(actual);
        Assert.HasCount(numbers.Length, values, what);
        for (var i = 0; i < numbers.Length; i++)
            Assert.AreEqual(numbers[i], values[i], 1e-5 * Math.Max(1, Math.Abs(numbers[i])), $"{what}, number {i}");
    }

    /// <summary>
    /// Fails unless the gradient of a weight is the slope of the loss computed by hand: nothing is detached that should learn, and nothing
    /// learns that should be held fixed.
    /// </summary>
    /// <param name="weight">With its gradient.</param>
    /// <param name="loss">Computed by hand with the weight as it is, what has no gradient being kept from before.</param>
    public static void IsTheSlope(Tensor weight, Func<double> loss)
    {
        double[] gradient = Values(weight.grad!);
        double tolerance = 0.02 * gradient.Max(Math.Abs);
        Assert.IsGreaterThan(1e-4, tolerance, "a gradient to speak of");
        // Every seventh entry: of a weight of several dozen enough to tell.
        for (var i = 0; i < gradient.Length; i += 7)
            Assert.AreEqual(Slope(weight, i, loss), gradient[i], tolerance, $"slope of entry {i}");
    }

    /// <summary>The largest difference between the gradient of a weight and the slope of a loss, as a share of the gradient.</summary>
    public static double SlopeError(Tensor weight, Func<double> loss)
    {
        double[] gradient = Values(weight.grad!);
        return Enumerable.Range(0, gradient.Length).Where(i => i % 7 == 0).Max(i => Math.Abs(Slope(weight, i, loss) - gradient[i]))
            / gradient.Max(Math.Abs);
    }

    // The central difference: wide enough for the rounding of Single precision, narrow enough for the curvature. (Where it meets the kink
    // of a ReLU it is no slope: take images of another seed.)
    private static double Slope(Tensor weight, int entry, Func<double> loss)
    {
        const double step = 1e-3;
        using var noGrad = no_grad();
        var place = weight.view(-1).narrow(0, entry, 1);
        var kept = place.clone();
        place.add_(step);
        double above = loss();
        place.copy_(kept - step);
        double below = loss();
        place.copy_(kept);
        return (above - below) / (2 * step);
    }
}
