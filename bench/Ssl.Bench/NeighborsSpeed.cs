using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;
using TorchSharp;

namespace Ssl.Bench;

/// <summary>What the selection of the nearest costs beside the matrix product that compares all with all.</summary>
public sealed class NeighborsSpeed : BenchCase
{
    private const int Dimension = 128, Neighbors = 10;

    // Two shapes of the product alone: few large ones, and many whose result stays in the cache. The faster one is the reference.
    private static readonly (int Queries, int References)[] s_shapes = [(1000, 100_000), (256, 4096)];

    /// <inheritdoc/>
    public override string Name => "neighbors-speed";

    /// <inheritdoc/>
    public override int Minutes => 3;

    /// <inheritdoc/>
    public override string Description
        => "exact top-10 of 10,000 queries in 100,000 vectors of 128 against the matrix product alone; recall of the approximate search";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (references, queries, repeats) = settings.Quick ? (10_000, 2_000, 1) : (100_000, 10_000, 5);
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        var catalog = Vectors(mlContext, references, seed: 1);
        var asked = Vectors(mlContext, queries, seed: 2);
        using var exact = ssl.NearestNeighbors(numberOfNeighbors: Neighbors).Fit(catalog);
        string? told = null;
        mlContext.Log += (_, e) => told = e.Message.Contains("Recall@", StringComparison.Ordinal) ? e.Message : told;
        NearestNeighborsTransformer? approximate = null;
        var fitting = Measure.Seconds(() => approximate = ssl.NearestNeighbors(new NearestNeighborsEstimator.Options
        {
            NumberOfNeighbors = Neighbors, Search = NeighborSearch.Approximate,
        }).Fit(catalog));

        using var a = Tensor(asked, queries);
        using var b = Tensor(catalog, references);
        using var transposed = b.t();
        var (search, blas, cells) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i <= repeats; i++)
        {
            var productSeconds = s_shapes.Min(shape => Measure.Seconds(() => Multiply(a, transposed, shape.Queries, shape.References)));
            var searchSeconds = Measure.Seconds(() => NeighborColumns.ReadAll(exact.Transform(asked)));
            var cellSeconds = Measure.Seconds(() => NeighborColumns.ReadAll(approximate!.Transform(asked)));
            if (i == 0)
                continue;                                                               // warm-up
            blas.Add(queries / productSeconds);
            search.Add(queries / searchSeconds);
            cells.Add(queries / cellSeconds);
        }
        results.Add("exact search, through Transform", Measure.Median(search), "queries/s", Measure.Median(blas));
        results.Add("matrix product alone", Measure.Median(blas) * 2 * Dimension * references / 1e9, "GFLOP/s");
        results.Add("approximate search, against the exact one", Measure.Median(cells), "queries/s", Measure.Median(search));
        results.Add("approximate search, recall@10", NeighborColumns.Recall(exact.Transform(asked), approximate!.Transform(asked), Neighbors), "");
        results.Add("approximate search, Fit", fitting, "s");
        approximate.Dispose();
        results.Note($"{queries:N0} queries among {references:N0} made-up vectors of {Dimension} around 1,000 centers, top {Neighbors}; the product alone "
            + "writes into memory that is there already, in blocks of 1,000 x 100,000 or 256 x 4,096, whichever is faster. Sides interleaved, "
            + $"median of {repeats}.");
        if (told is not null)
            results.Note(told[told.IndexOf("Approximate search", StringComparison.Ordinal)..]);
    }

    private static void Multiply(torch.Tensor queries, torch.Tensor references, int rows, int columns)
    {
        using var whole = torch.NewDisposeScope();
        var product = torch.empty([Math.Min(rows, queries.shape[0]), Math.Min(columns, references.shape[1])]);
        for (long row = 0; row < queries.shape[0]; row += rows)
        {
            var height = Math.Min(rows, queries.shape[0] - row);
            for (long column = 0; column < references.shape[1]; column += columns)
            {
                using var scope = torch.NewDisposeScope();
                var width = Math.Min(columns, references.shape[1] - column);
                var target = height == product.shape[0] && width == product.shape[1] ? product : torch.empty([height, width]);
                target.addmm_(queries.narrow(0, row, height), references.narrow(1, column, width), beta: 0, alpha: 1);
            }
        }
    }

    private static torch.Tensor Tensor(IDataView view, int count)
    {
        var tensor = torch.empty([count, Dimension]);
        var row = 0;
        foreach (var vector in view.GetColumn<float[]>("Features"))
        {
            MemoryMarshal.AsBytes(vector.AsSpan()).CopyTo(tensor.bytes[(row++ * Dimension * sizeof(float))..]);
        }
        return tensor;
    }

    private static IDataView Vectors(MLContext mlContext, int count, int seed)
    {
        var centers = new Random(BenchResults.Seed);
        var means = Enumerable.Range(0, 1000).Select(_ => Draw(centers)).ToArray();
        var random = new Random(seed);
        var rows = Enumerable.Range(0, count).Select(_ =>
        {
            var mean = means[random.Next(means.Length)];
            return new VectorRow { Features = [.. Draw(random).Zip(mean, (noise, center) => center + noise)] };
        }).ToArray();
        return mlContext.Data.LoadFromEnumerable(rows);
    }

    private static float[] Draw(Random random) => [.. Enumerable.Range(0, Dimension).Select(_ => 2 * random.NextSingle() - 1)];

    private sealed class VectorRow
    {
        [VectorType(Dimension)]
        public float[] Features { get; set; } = [];
    }
}
