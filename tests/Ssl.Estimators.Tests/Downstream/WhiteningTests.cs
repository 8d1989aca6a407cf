using Microsoft.ML;
using Microsoft.ML.Data;

namespace Ssl.Estimators.Tests.Downstream;

[TestClass]
public class WhiteningTests
{
    private const int Dimension = 4;

    private readonly MLContext _mlContext = TestDevice.Context(1);

    [TestMethod]
    [DataRow(WhiteningKind.ZeroPhaseComponentAnalysis, 300)]
    [DataRow(WhiteningKind.PrincipalComponentAnalysis, 300)]
    [DataRow(WhiteningKind.PrincipalComponentAnalysis, 2_500)]
    public void The_rows_it_was_fitted_on_become_white(WhiteningKind kind, int count)
    {
        var rows = Correlated(count, 1);
        using var model = Fit(rows, new() { Kind = kind, Shrinkage = 0 });
        double[][] white = Whitened(model, rows);
        double[,] covariance = Covariance(white, out var mean);
        for (var i = 0; i < Dimension; i++)
        {
            Assert.AreEqual(0, mean[i], 1e-5);
            for (var j = 0; j < Dimension; j++)
                Assert.AreEqual(i == j ? 1 : 0, covariance[i, j], 1e-4, $"{i}, {j}");
        }
    }

    // W' C W = I with the shrunk covariance C, and: W is symmetric and positive (ZCA), or its columns are orthogonal and get longer as
    // the variance falls (PCA). That leaves one matrix, but for the signs of columns.
    [TestMethod]
    [DataRow(WhiteningKind.ZeroPhaseComponentAnalysis, null)]
    [DataRow(WhiteningKind.PrincipalComponentAnalysis, null)]
    [DataRow(WhiteningKind.ZeroPhaseComponentAnalysis, 0.3)]
    [DataRow(WhiteningKind.PrincipalComponentAnalysis, 0.0)]
    public void The_matrix_is_the_root_of_the_inverse_of_the_shrunk_covariance(WhiteningKind kind, double? shrinkage)
    {
        var rows = Correlated(12, 2);
        using var model = Fit(rows, new() { Kind = kind, Shrinkage = shrinkage });
        double[,] covariance = Covariance([.. rows.Select(row => row.Features.Select(x => (double)x).ToArray())], out var mean);
        double scale = Enumerable.Range(0, Dimension).Average(i => covariance[i, i]);
        double share = shrinkage ?? LedoitWolf(rows, covariance, mean, scale);
        Assert.AreEqual(share, model.Shrinkage, 1e-6);
        if (shrinkage is null)
            Assert.IsTrue(share is > 0.01 and < 0.9, $"{share}");
        double[,] matrix = MatrixOf(model);
        double At(int i, int j) => (1 - share) * covariance[i, j] + (i == j ? share * scale : 0);
        for (var a = 0; a < Dimension; a++)
        {
            for (var b = 0; b < Dimension; b++)
            {
                double product = 0, columns = 0;
                for (var i = 0; i < Dimension; i++)
                {
                    columns += matrix[i, a] * matrix[i, b];
                    for (var j = 0; j < Dimension; j++)
                        product += matrix[i, a] * At(i, j) * matrix[j, b];
                }
                Assert.AreEqual(a == b ? 1 : 0, product, 2e-3, $"{a}, {b}");
                if (kind == WhiteningKind.ZeroPhaseComponentAnalysis)
                    Assert.AreEqual(matrix[a, b], matrix[b, a], 1e-3);
                else if (a != b)
                    Assert.AreEqual(0, columns, 1e-2);
                if (kind == WhiteningKind.PrincipalComponentAnalysis && b == a + 1)
                    Assert.IsGreaterThan(Length(matrix, a), Length(matrix, b));
            }
            if (kind == WhiteningKind.ZeroPhaseComponentAnalysis)
                Assert.IsGreaterThan(0, matrix[a, a]);
        }
        double[] middle = Whitened(model, [new EmbeddingRow { Features = [.. mean.Select(x => (float)x)] }])[0];
        Assert.IsTrue(middle.All(x => Math.Abs(x) < 1e-4), "the mean becomes 0");
    }

    [TestMethod]
    public void Fewer_components_are_the_first_ones()
    {
        var rows = Correlated(100, 3);
        using var all = Fit(rows, new() { Kind = WhiteningKind.PrincipalComponentAnalysis });
        using var few = Fit(rows, new() { Kind = WhiteningKind.PrincipalComponentAnalysis, NumberOfComponents = 2 });
        Assert.AreEqual(2, few.NumberOfComponents);
        double[][] expected = Whitened(all, rows), actual = Whitened(few, rows);
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.HasCount(2, actual[i]);
            for (var d = 0; d < 2; d++)
                Assert.AreEqual(expected[i][d], actual[i][d], 1e-6);
        }
        var error = Assert.ThrowsExactly<ArgumentOutOfRangeException>(
            () => Fit(rows, new() { Kind = WhiteningKind.PrincipalComponentAnalysis, NumberOfComponents = 5 }));
        StringAssert.Contains(error.Message, "NumberOfComponents must be at most 4");
    }

    [TestMethod]
    public void Directions_without_scatter_become_nothing_or_are_shrunk()
    {
        var rows = Correlated(50, 4);
        foreach (var row in rows)
            (row.Features[2], row.Features[3]) = (7, 2 * row.Features[0]);
        using var plain = Fit(rows, new() { Shrinkage = 0 });
        double[,] covariance = Covariance(Whitened(plain, rows), out _);
        Assert.AreEqual(2, Enumerable.Range(0, Dimension).Sum(i => covariance[i, i]), 1e-3, "two directions have scatter");
        // What no row had: nothing is known of it.
        double[] expected = Whitened(plain, [rows[0]])[0];
        var strange = new EmbeddingRow { Features = [.. rows[0].Features] };
        strange.Features[2] += 1000;
        double[] actual = Whitened(plain, [strange])[0];
        for (var i = 0; i < Dimension; i++)
            Assert.AreEqual(expected[i], actual[i], 1e-2);
        using var few = Fit(rows[..3], new());
        Assert.IsTrue(Whitened(few, [strange])[0].All(double.IsFinite));
        Assert.IsGreaterThan(0, few.Shrinkage);
    }

    [TestMethod]
    public void A_loaded_one_gives_the_same_numbers_and_so_does_a_row_alone()
    {
        var rows = Correlated(60, 5);
        using var model = Fit(rows, new() { OutputColumnName = "White", InputColumnName = "Features" });
        var view = View(rows);
        Assert.AreEqual("White", model.GetOutputSchema(view.Schema)[^1].Name);
        using var loaded = (WhiteningTransformer)EmbeddingRows.Reload(model, view.Schema);
        double[][] expected = Whitened(model, rows), actual = Whitened(loaded, rows);
        Assert.AreEqual(model.Shrinkage, loaded.Shrinkage);
        using var engine = _mlContext.Model.CreatePredictionEngine<EmbeddingRow, White>(model, inputSchemaDefinition: EmbeddingRows.Definition(Dimension));
        for (var i = 0; i < rows.Length; i++)
        {
            CollectionAssert.AreEqual(expected[i], actual[i]);
            double[] alone = [.. engine.Predict(rows[i]).Vector.Select(x => (double)x)];
            for (var d = 0; d < Dimension; d++)
                Assert.AreEqual(expected[i][d], alone[d], 1e-5);
        }
        model.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => model.Transform(view));
    }

    [TestMethod]
    public void The_column_can_be_replaced_in_a_chain()
    {
        var rows = Correlated(60, 6);
        var estimator = new WhiteningEstimator(_mlContext, new());
        using var model = estimator.Append(new NearestNeighborsEstimator(_mlContext, new() { NumberOfNeighbors = 1 })).Fit(View(rows));
        var output = model.Transform(View(rows));
        var neighbors = output.GetColumn<long[]>("Neighbors").ToArray();
        for (var i = 0; i < rows.Length; i++)
            Assert.AreEqual(i, neighbors[i][0]);
        Assert.AreEqual(Dimension, ((VectorDataViewType)output.Schema["Features"].Type).Size);
    }

    [TestMethod]
    public void Unusable_rows_and_settings_are_named()
    {
        var rows = Correlated(20, 7);
        double[][] expected;
        using (var model = Fit(rows, new()))
            expected = Whitened(model, rows);
        using (var model = Fit([.. rows, new EmbeddingRow { Features = [1, float.NaN, 1, 1] }], new()))
        {
            CollectionAssert.AreEqual(expected[3], Whitened(model, rows)[3], "a row that is not a number does not count");
            Assert.IsTrue(Whitened(model, [new EmbeddingRow { Features = [1, float.NaN, 1, 1] }])[0].All(double.IsNaN));
        }
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Fit(rows[..1], new())).Message, "at least 2");
        var same = Enumerable.Repeat(rows[0], 5).ToArray();
        StringAssert.Contains(Assert.ThrowsExactly<InvalidOperationException>(() => Fit(same, new())).Message, "are the same");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Fit(rows, new() { InputColumnName = "Name" })).Message,
            "expected Vector<Single>, got String");
        var faults = Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new WhiteningEstimator(_mlContext,
            new() { OutputColumnName = "", NumberOfComponents = 2, Shrinkage = 1.5 })).Message;
        foreach (var name in (string[])["OutputColumnName", "NumberOfComponents", "Shrinkage"])
            StringAssert.Contains(faults, name);
    }

    private WhiteningTransformer Fit(EmbeddingRow[] rows, WhiteningEstimator.Options options)
        => new WhiteningEstimator(_mlContext, options).Fit(View(rows));

    private IDataView View(EmbeddingRow[] rows) => EmbeddingRows.View(_mlContext, rows, Dimension);

    private double[][] Whitened(WhiteningTransformer model, EmbeddingRow[] rows)
        => [.. model.Transform(View(rows)).GetColumn<float[]>(model.OutputColumnName).Select(row => row.Select(x => (double)x).ToArray())];

    // What a unit vector becomes, less what 0 becomes, is a row of the matrix.
    private double[,] MatrixOf(WhiteningTransformer model)
    {
        EmbeddingRow[] units = [new() { Features = new float[Dimension] },
            .. Enumerable.Range(0, Dimension).Select(i => new EmbeddingRow
            {
                Features = [.. Enumerable.Range(0, Dimension).Select(j => i == j ? 1f : 0)],
            })];
        double[][] white = Whitened(model, units);
        var matrix = new double[Dimension, Dimension];
        for (var i = 0; i < Dimension; i++)
            for (var j = 0; j < Dimension; j++)
                matrix[i, j] = white[i + 1][j] - white[0][j];
        return matrix;
    }

    // Numbers that vary unequally, depend on each other, and are not around 0.
    private static EmbeddingRow[] Correlated(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            double[] z = [.. Enumerable.Range(0, Dimension).Select(_ => EmbeddingRows.Normal(random))];
            return new EmbeddingRow
            {
                Features = [(float)(2 * z[0] + 1), (float)(z[0] + z[1]), (float)(0.7 * z[2] - 3), (float)(z[1] - z[2] + 0.5 * z[3])],
            };
        })];
    }

    private static double[,] Covariance(double[][] rows, out double[] mean)
    {
        double[] middle = [.. Enumerable.Range(0, Dimension).Select(i => rows.Average(row => row[i]))];
        var covariance = new double[Dimension, Dimension];
        for (var i = 0; i < Dimension; i++)
            for (var j = 0; j < Dimension; j++)
                covariance[i, j] = rows.Average(row => (row[i] - middle[i]) * (row[j] - middle[j]));
        mean = middle;
        return covariance;
    }

    private static double LedoitWolf(EmbeddingRow[] rows, double[,] sample, double[] mean, double scale)
    {
        double spread = 0, error = 0;
        for (var i = 0; i < Dimension; i++)
        {
            for (var j = 0; j < Dimension; j++)
            {
                spread += Math.Pow(sample[i, j] - (i == j ? scale : 0), 2);
                error += rows.Sum(row => Math.Pow((row.Features[i] - mean[i]) * (row.Features[j] - mean[j]) - sample[i, j], 2))
                    / rows.Length / rows.Length;
            }
        }
        return Math.Min(error, spread) / spread;
    }

    private static double Length(double[,] matrix, int column)
        => Enumerable.Range(0, Dimension).Sum(i => matrix[i, column] * matrix[i, column]);

    private sealed class White
    {
        [ColumnName("White")]
        public float[] Vector { get; set; } = [];
    }
}
