using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Methods;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Settings that everything has that searches for neighbors. Checked when the estimator is made, all faults at once.</summary>
public abstract class NeighborSearchOptions
{
    /// <summary>The defaults that are the same everywhere.</summary>
    internal static class SearchDefaults
    {
        public const NeighborSearch Search = NeighborSearch.Exact;
        public const int NumberOfProbes = 32;
    }

    /// <summary>Whether all reference rows are compared with a query, or those of the nearest cells only.</summary>
    /// <value>The default value is <see cref="NeighborSearch.Exact"/>.</value>
    public NeighborSearch Search { get; set; } = SearchDefaults.Search;

    /// <summary>
    /// Cells of an approximate search. At least 1; more than there are reference rows are not made. Null takes four times the square root
    /// of the number of reference rows.
    /// </summary>
    /// <value>The default value is null.</value>
    [OptionRange(Minimum = 1)]
    public int? NumberOfCells { get; set; }

    /// <summary>Cells of an approximate search that a query looks into: more find more, and take longer. At least 1.</summary>
    /// <value>The default value is 32.</value>
    [OptionRange(Minimum = 1)]
    public int NumberOfProbes { get; set; } = SearchDefaults.NumberOfProbes;

    internal virtual void Validate(OptionFaults faults) => OptionRuleAttribute.Check(this, faults);

    /// <summary>A copy that later changes of the original do not reach.</summary>
    internal NeighborSearchOptions Snapshot() => (NeighborSearchOptions)MemberwiseClone();

    /// <summary>The index of collected vectors.</summary>
    /// <param name="builder">Holds the vectors; empty afterwards.</param>
    /// <param name="device">Where an exact search computes.</param>
    /// <param name="neighbors">Neighbors a query, for the measured recall.</param>
    /// <param name="random">Draws the cells.</param>
    /// <param name="inform">Takes a line about the search.</param>
    internal VectorIndex BuildIndex(VectorIndexBuilder builder, Device device, int neighbors, Random random, Action<string> inform)
    {
        if (Search == NeighborSearch.Exact)
            return builder.Build(device);

        using var exact = builder.Build(CPU);
        var index = CellIndex.Create(exact, NumberOfCells ?? (int)Math.Ceiling(4 * Math.Sqrt(exact.Count)), NumberOfProbes, random);
        var (recall, queries) = SearchRecall.Measure(exact, index, neighbors, random);
        inform(FormattableString.Invariant($"Approximate search: {index.NumberOfCells} cells for {index.Count} rows, ")
            + FormattableString.Invariant($"{index.NumberOfProbes} looked into. Recall@{neighbors} against the exact search {recall:0.000}, ")
            + $"measured on {queries} reference rows. NumberOfProbes raises it.");
        return index;
    }
}

/// <summary>How much of an exact search an approximate one finds.</summary>
internal static class SearchRecall
{
    private const int MostQueries = 500;

    /// <summary>Share of the exact neighbors that the approximate search finds; reference rows are the queries, and do not count as their
    /// own neighbors.</summary>
    /// <param name="exact">The truth.</param>
    /// <param name="approximate">The same vectors.</param>
    /// <param name="k">Neighbors a query.</param>
    /// <param name="random">Draws the queries.</param>
    /// <returns>From 0 to 1, and the number of queries; 1 where a row has no neighbors.</returns>
    public static (double Recall, int Queries) Measure(ExactIndex exact, VectorIndex approximate, int k, Random random)
    {
        var queries = Enumerable.Range(0, exact.Count).ToArray();
        random.Shuffle(queries);
        queries = queries[..Math.Min(queries.Length, MostQueries)];
        var vectors = exact.Vectors(queries);
        var (rows, found, scores) = (new long[queries.Length * (k + 1)], new long[queries.Length * (k + 1)],
            new float[queries.Length * (k + 1)]);
        exact.Search(vectors, queries.Length, k + 1, rows, scores);
        approximate.Search(vectors, queries.Length, k + 1, found, scores);
        long all = 0, hits = 0;
        for (var i = 0; i < queries.Length; i++)
        {
            var truth = Others(rows.AsSpan(i * (k + 1), k + 1), queries[i], k);
            all += truth.Count;
            truth.IntersectWith(Others(found.AsSpan(i * (k + 1), k + 1), queries[i], k));
            hits += truth.Count;
        }

        return (all == 0 ? 1 : hits / (double)all, queries.Length);
    }

    private static HashSet<long> Others(ReadOnlySpan<long> rows, long self, int k)
    {
        var others = new HashSet<long>();
        foreach (var row in rows)
        {
            if (row >= 0 && row != self && others.Count < k)
                others.Add(row);
        }

        return others;
    }
}
