using Ssl.Estimators.Evaluation;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Evaluation;

[TestClass]
public sealed class EmbeddingMapTests
{
    [TestMethod]
    public void Principal_components_are_those_of_the_covariance()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, 60).Select(_ =>
        {
            double a = random.NextDouble() * 6, b = random.NextDouble();
            return new[] { 10 + a + b, 3 - a, a * 0.5 + 2 * b, random.NextDouble() * 0.1 };
        }).ToArray();
        using var scope = TorchSharp.torch.NewDisposeScope();
        var (points, first, second) = EmbeddingMap.PrincipalComponents(Matrix(rows));

        // Power iteration on the covariance, in plain loops.
        var means = Enumerable.Range(0, 4).Select(j => rows.Average(row => row[j])).ToArray();
        var centered = rows.Select(row => row.Select((value, j) => value - means[j]).ToArray()).ToArray();
        var covariance = Enumerable.Range(0, 4).Select(i => Enumerable.Range(0, 4).Select(j => centered.Sum(row => row[i] * row[j])).ToArray()).ToArray();
        var total = Enumerable.Range(0, 4).Sum(i => covariance[i][i]);
        foreach (var (share, coordinate) in new (double, Func<(double X, double Y), double>)[] { (first, point => point.X), (second, point => point.Y) })
        {
            double[] direction = [1, 0.5, 0.3, 0.2];
            for (var i = 0; i < 500; i++)
            {
                direction = [.. covariance.Select(row => row.Zip(direction, (a, b) => a * b).Sum())];
                var length = Math.Sqrt(direction.Sum(value => value * value));
                direction = [.. direction.Select(value => value / length)];
            }
            if (direction.MaxBy(Math.Abs) < 0)
                direction = [.. direction.Select(value => -value)];
            var projected = centered.Select(row => row.Zip(direction, (a, b) => a * b).Sum()).ToArray();
            Assert.AreEqual(projected.Sum(value => value * value) / total, share, 1e-9);
            for (var row = 0; row < rows.Length; row++)
                Assert.AreEqual(projected[row], coordinate(points[row]), 1e-5, $"row {row}");
            // What this direction has is taken out for the next.
            var eigenvalue = projected.Sum(value => value * value);
            covariance = [.. covariance.Select((row, i) => row.Select((value, j) => value - eigenvalue * direction[i] * direction[j]).ToArray())];
        }
    }

    [TestMethod]
    public void Vectors_of_one_dimension_lie_on_a_line()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var (points, first, second) = EmbeddingMap.PrincipalComponents(Matrix([[1], [2], [4]]));
        Assert.AreEqual(1, first, 1e-12);
        Assert.AreEqual(0, second, 1e-12);
        CollectionAssert.AreEqual(new[] { 0.0, 0.0, 0.0 }, points.Select(point => point.Y).ToArray());
    }

    [TestMethod]
    public void Neighbors_stay_neighbors_and_it_is_the_same_every_time()
    {
        // Ten groups of twelve in 20 dimensions: in the plane the nearest of each is of its group.
        var random = new Random(2);
        var centers = Enumerable.Range(0, 10).Select(_ => Enumerable.Range(0, 20).Select(_ => random.NextDouble() * 10).ToArray()).ToArray();
        var rows = Enumerable.Range(0, 120).Select(i => centers[i % 10].Select(value => value + random.NextDouble()).ToArray()).ToArray();
        using var scope = TorchSharp.torch.NewDisposeScope();
        var vectors = Matrix(rows);
        var points = EmbeddingMap.Neighborhoods(vectors);
        Assert.IsTrue(points.All(point => double.IsFinite(point.X) && double.IsFinite(point.Y)));
        for (var i = 0; i < points.Length; i++)
        {
            var nearest = Enumerable.Range(0, points.Length).Where(j => j != i)
                .MinBy(j => Math.Pow(points[i].X - points[j].X, 2) + Math.Pow(points[i].Y - points[j].Y, 2));
            Assert.AreEqual(i % 10, nearest % 10, $"row {i}");
        }
        // Groups lie apart by more than they are wide.
        var middles = Enumerable.Range(0, 10).Select(group => Enumerable.Range(0, 12).Select(i => points[group + 10 * i]).ToArray())
            .Select(group => (X: group.Average(point => point.X), Y: group.Average(point => point.Y), Width: group.Max(point => Math.Abs(point.X - group.Average(other => other.X))))).ToArray();
        for (var i = 0; i < 10; i++)
        {
            for (var j = 0; j < i; j++)
                Assert.IsGreaterThan(middles[i].Width, Math.Sqrt(Math.Pow(middles[i].X - middles[j].X, 2) + Math.Pow(middles[i].Y - middles[j].Y, 2)), $"groups {i} and {j}");
        }
        CollectionAssert.AreEqual(points, EmbeddingMap.Neighborhoods(vectors));
    }

    [TestMethod]
    public void Equal_vectors_do_no_harm()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var same = Matrix([.. Enumerable.Range(0, 8).Select(_ => new double[] { 1, 2, 3 })]);
        Assert.IsTrue(EmbeddingMap.Neighborhoods(same).All(point => double.IsFinite(point.X) && double.IsFinite(point.Y)));
        Assert.IsTrue(EmbeddingMap.PrincipalComponents(same).Points.All(point => point == (0, 0)));
    }

    [TestMethod]
    public void It_can_be_canceled()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var points = EmbeddingMap.Neighborhoods(rand(50, 4), new CancellationToken(canceled: true));
        Assert.HasCount(50, points);
    }

    private static Tensor Matrix(double[][] rows) => tensor(rows.SelectMany(row => row).ToArray(), [rows.Length, rows[0].Length]);
}
