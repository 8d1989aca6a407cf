using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.MLNet;

namespace Ssl.Bench;

/// <summary>What an index file costs to make, to open, to change and to search, against making the search in memory anew.</summary>
public sealed class NeighborIndexFile : BenchCase
{
    private const int Dimension = 128, Neighbors = 10;

    /// <inheritdoc/>
    public override string Name => "neighbor-index";

    /// <inheritdoc/>
    public override int Minutes => 4;

    /// <inheritdoc/>
    public override string Description => "an index file of 100,000 vectors of 128: add, open, search, remove, against a new Fit of NearestNeighbors";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var (rows, queries, changed, repeats) = settings.Quick ? (10_000, 500, 100, 1) : (100_000, 2_000, 1_000, 5);
        var folder = Directory.CreateTempSubdirectory("ssl-bench-").FullName;
        try
        {
            Run(folder, rows, queries, changed, repeats, results);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Run(string folder, int rows, int queries, int changed, int repeats, BenchResults results)
    {
        var mlContext = new MLContext(seed: BenchResults.Seed);
        var ssl = mlContext.SelfSupervised();
        var (catalog, asked) = (Vectors(rows, 1, 0), Vectors(queries, 2, 0));
        var (data, queryData) = (mlContext.Data.LoadFromEnumerable(catalog), mlContext.Data.LoadFromEnumerable(asked));
        NearestNeighborsTransformer Fit(NeighborSearch search) => ssl.NearestNeighbors(new NearestNeighborsEstimator.Options
        {
            IdColumnName = "Id", NumberOfNeighbors = Neighbors, Search = search,
        }).Fit(data);

        NearestNeighborsTransformer? exactMemory = null, cellsMemory = null;
        var exactFit = Measure.Seconds(() => exactMemory = Fit(NeighborSearch.Exact));
        var cellsFit = Measure.Seconds(() => cellsMemory = Fit(NeighborSearch.Approximate));
        var (exactPath, cellsPath) = (Path.Combine(folder, "exact.index"), Path.Combine(folder, "cells.index"));
        var exactMade = Measure.Seconds(() => ssl.CreateNeighborIndex<long>(exactPath, data, "Id").Dispose());
        var cellsMade = Measure.Seconds(() => ssl.CreateNeighborIndex<long>(cellsPath, data, "Id", search: NeighborSearch.Approximate).Dispose());
        results.Add("make the file, all rows are compared", exactMade, "s", exactFit, lessIsBetter: true);
        results.Add("make the file, with cells", cellsMade, "s", cellsFit, lessIsBetter: true);
        results.Add("its size", new FileInfo(cellsPath).Length / 1048576.0, "MB", rows * Dimension * sizeof(float) / 1048576.0, lessIsBetter: true);

        var opened = ChildProcess.Start("open-index", cellsPath);
        results.Add("open it, in a new process", 1000 * opened["open"], "ms", 1000 * cellsFit, lessIsBetter: true);
        results.Add("memory that opening takes", opened["megabytes"], "MB");
        results.Add("first search after it", 1000 * opened["first"], "ms");

        using var exact = ssl.OpenNeighborIndex<long>(exactPath);
        using var cells = ssl.OpenNeighborIndex<long>(cellsPath);
        using var exactStage = ssl.NearestNeighbors(exact, numberOfNeighbors: Neighbors).Fit(queryData);
        using var cellsStage = ssl.NearestNeighbors(cells, numberOfNeighbors: Neighbors).Fit(queryData);
        ITransformer[] sides = [exactStage, exactMemory!, cellsStage, cellsMemory!];
        var rates = sides.Select(_ => new List<double>()).ToArray();
        for (var i = 0; i <= repeats; i++)
        {
            for (var side = 0; side < sides.Length; side++)
            {
                var seconds = Measure.Seconds(() => NeighborColumns.ReadAll(sides[side].Transform(queryData)));
                if (i > 0)
                    rates[side].Add(queries / seconds);
            }
        }
        results.Add("search of all rows, in batches", Measure.Median(rates[0]), "queries/s", Measure.Median(rates[1]));
        results.Add("search of cells, in batches", Measure.Median(rates[2]), "queries/s", Measure.Median(rates[3]));
        results.Add("search of all rows, one by one", 1000 * OneByOne(exact, asked), "ms");
        results.Add("search of cells, one by one", 1000 * OneByOne(cells, asked), "ms");
        var truth = exactMemory!.Transform(queryData);
        results.Add("search of all rows, recall@10", NeighborColumns.Recall(truth, exactStage.Transform(queryData), Neighbors), "");
        results.Add("search of cells, recall@10", NeighborColumns.Recall(truth, cellsStage.Transform(queryData), Neighbors), "", NeighborColumns.Recall(truth, cellsMemory!.Transform(queryData), Neighbors));

        // A change is on the disk when it returns: the reference is a search in memory made anew, which is not even saved.
        var (added, single, removed) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 1; i <= repeats; i++)
        {
            var more = Vectors(changed, 10 + i, rows * i);
            var view = mlContext.Data.LoadFromEnumerable(more);
            added.Add(Measure.Seconds(() => cells.Upsert(view, "Id")));
            var watch = Stopwatch.StartNew();
            foreach (var row in more.Take(20))
                cells.Upsert(row.Id, row.Features);
            single.Add(watch.Elapsed.TotalSeconds / 20);
            removed.Add(Measure.Seconds(() => cells.Remove(more.Select(row => row.Id))));
        }
        results.Add($"add {changed:N0} rows", 1000 * Measure.Median(added), "ms", 1000 * cellsFit, lessIsBetter: true);
        results.Add("replace one row", 1000 * Measure.Median(single), "ms", 1000 * cellsFit, lessIsBetter: true);
        results.Add($"remove {changed:N0} rows", 1000 * Measure.Median(removed), "ms", 1000 * cellsFit, lessIsBetter: true);

        // As many rows again come later, into the cells that there are.
        var later = mlContext.Data.LoadFromEnumerable(Vectors(rows, 3, rows * (repeats + 1)));
        results.Add("add as many rows again", Measure.Seconds(() => cells.Upsert(later, "Id")), "s", cellsFit, lessIsBetter: true);
        var both = asked.Take(500).ToArray();
        results.Add("search of cells then, recall@10", both.Average(row => cells.Search(row.Features, Neighbors).Select(found => found.Id)
            .Intersect(cells.Search(row.Features, Neighbors, NeighborSearch.Exact).Select(found => found.Id)).Count() / (double)Neighbors), "");
        cells.Remove(later, "Id");
        results.Add("compact, half of the rows removed", Measure.Seconds(() => cells.Compact()), "s", cellsFit, lessIsBetter: true);
        exactMemory!.Dispose();
        cellsMemory!.Dispose();
        results.Note($"{rows:N0} made-up vectors of {Dimension} around 1,000 centers, {queries:N0} queries, top {Neighbors}; the reference of searches is the one in memory, "
            + "through Transform, sides interleaved, median; of all else a new Fit of NearestNeighbors, with cells where the file has them.");
    }

    /// <summary>The child: opens a file and searches once.</summary>
    public static Dictionary<string, double> Open(string path)
    {
        var ssl = new MLContext(seed: 1).SelfSupervised();
        var small = Path.Combine(Path.GetDirectoryName(path)!, "small.index");
        // What every first use costs, whichever file it is.
        using (var warm = ssl.CreateNeighborIndex<long>(small, Dimension))
            warm.Upsert(1, [.. Enumerable.Range(1, Dimension).Select(i => (float)i)]);
        using (var warm = ssl.OpenNeighborIndex<long>(small))
            warm.Search(new float[Dimension].Select((_, i) => i + 1f).ToArray());
        File.Delete(small);
        var before = Measure.ResidentMegabytes();
        var watch = Stopwatch.StartNew();
        using var index = ssl.OpenNeighborIndex<long>(path);
        var open = watch.Elapsed.TotalSeconds;
        var megabytes = Measure.ResidentMegabytes() - before;
        var query = Vectors(1, 2, 0)[0].Features;
        watch.Restart();
        index.Search(query, Neighbors);
        return new() { ["open"] = open, ["megabytes"] = megabytes, ["first"] = watch.Elapsed.TotalSeconds };
    }

    private static double OneByOne(NeighborIndex<long> index, VectorRow[] queries)
    {
        var some = queries.Take(200).ToArray();
        return Measure.Median(some.Select(row => Measure.Seconds(() => index.Search(row.Features, Neighbors))));
    }

    private static VectorRow[] Vectors(int count, int seed, int firstId)
    {
        var centers = new Random(BenchResults.Seed);
        var means = Enumerable.Range(0, 1000).Select(_ => Draw(centers)).ToArray();
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var mean = means[random.Next(means.Length)];
            return new VectorRow { Id = firstId + i, Features = [.. Draw(random).Zip(mean, (noise, center) => center + noise)] };
        })];
    }

    private static float[] Draw(Random random) => [.. Enumerable.Range(0, Dimension).Select(_ => 2 * random.NextSingle() - 1)];

    private sealed class VectorRow
    {
        public long Id { get; set; }

        [VectorType(Dimension)]
        public float[] Features { get; set; } = [];
    }
}
