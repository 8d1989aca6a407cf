using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>
/// Approximate search: the reference vectors lie in cells around centers, and a query is compared with those of the nearest cells only
/// (an inverted file: Sivic and Zisserman, "Video Google", 2003; Jégou et al., "Product Quantization for Nearest Neighbor Search", 2011,
/// without the quantization). Computes on the CPU.
/// </summary>
internal sealed class CellIndex : VectorIndex
{
    private const string ProbesKey = "probes", CentersName = "cell_centers", EndsName = "cell_ends", RowsName = "cell_rows";

    private readonly Tensor _centers;       // [C, D], rows of length 1
    private readonly Tensor _vectors;       // [Count, D], cell after cell
    private readonly int[] _ends;           // where each cell ends among the vectors
    private readonly long[] _rows;          // which reference row stands where

    private CellIndex(Tensor centers, Tensor vectors, int[] ends, long[] rows, int probes, int dimension) : base(dimension, rows.Length)
        => (_centers, _vectors, _ends, _rows, NumberOfProbes) = (centers, vectors, ends, rows, probes);

    /// <summary>Number of cells.</summary>
    public int NumberOfCells => _ends.Length;

    /// <summary>Cells that a query is compared with.</summary>
    public int NumberOfProbes { get; }

    /// <summary>Sorts the vectors of an exact index into cells.</summary>
    /// <param name="index">The vectors; copied.</param>
    /// <param name="cells">Number of cells; at most as many as there are vectors are made.</param>
    /// <param name="probes">Cells to look into for a query.</param>
    /// <param name="random">Draws the sample and the first centers.</param>
    public static CellIndex Create(ExactIndex index, int cells, int probes, Random random)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var vectors = cat([.. index.Blocks], 0).cpu();                              // [N, D]
        var centers = SphericalKMeans.Fit(vectors, Math.Min(cells, index.Count), random);
        var cell = SphericalKMeans.Assign(vectors, centers);
        var ends = new int[centers.shape[0]];
        foreach (var c in cell)
            ends[c]++;
        for (var c = 1; c < ends.Length; c++)
            ends[c] += ends[c - 1];
        var rows = new long[cell.Length];
        var next = ends.Select((end, c) => c == 0 ? 0 : ends[c - 1]).ToArray();
        for (var row = 0; row < cell.Length; row++)
            rows[next[cell[row]]++] = row;
        var sorted = vectors.index_select(0, tensor(rows));
        return new CellIndex(centers.DetachFromDisposeScope(), sorted.DetachFromDisposeScope(), ends, rows,
            Math.Min(probes, ends.Length), index.Dimension);
    }

    /// <summary>Reads what <see cref="VectorIndex.AddTo"/> wrote.</summary>
    public static CellIndex Read(JsonObject cells, IReadOnlyDictionary<string, Tensor> tensors, Tensor[] blocks, int dimension)
    {
        var (centers, ends, rows) = (tensors[CentersName], Longs(tensors[EndsName]), Longs(tensors[RowsName]));
        var count = blocks.Sum(b => b.shape[0]);
        var rising = ends.Zip(ends.Skip(1)).All(pair => pair.First <= pair.Second);
        var probes = cells[ProbesKey]!.GetValue<int>();
        if (centers.dtype != ScalarType.Float32 || centers.ndim != 2 || centers.shape[1] != dimension || centers.shape[0] != ends.Length
            || probes < 1 || probes > ends.Length || ends.Length == 0 || ends[0] < 0 || !rising || ends[^1] != count
            || rows.Length != count || rows.Any(row => row < 0 || row >= count))
        {
            throw new FormatException("The saved neighbors are damaged: their cells do not fit their vectors.");
        }

        using var scope = NewDisposeScope();
        return new CellIndex(Own(centers, CPU), Own(cat(blocks, 0), CPU), [.. ends.Select(end => (int)end)], rows,
            probes, dimension);
    }

    protected override void Find(ReadOnlySpan<float> queries, int count, int asked, Span<long> askedRows, Span<float> askedScores)
    {
        var k = Math.Min(Count, asked + CosineRefinement.Spare);
        var (rows, scores) = (new long[count * k], new float[count * k]);
        Array.Fill(rows, -1);
        Array.Fill(scores, TopScores.None);
        var probed = new float[count * NumberOfProbes];
        var cells = new long[count * NumberOfProbes];
        Array.Fill(probed, TopScores.None);
        using (NewDisposeScope())
        {
            var all = Product(queries, count, _centers);                            // [N, C]
            for (var query = 0; query < count; query++)
            {
                TopScores.Scan(all.Slice(query * NumberOfCells, NumberOfCells), 0, probed.AsSpan(query * NumberOfProbes, NumberOfProbes),
                    cells.AsSpan(query * NumberOfProbes, NumberOfProbes));
            }
        }

        // Cell by cell, so that all queries that look into one share a product.
        var visits = Enumerable.Range(0, cells.Length).ToArray();
        Array.Sort((long[])cells.Clone(), visits);
        var gathered = new float[queries.Length];
        for (var start = 0; start < visits.Length;)
        {
            var cell = (int)cells[visits[start]];
            var first = cell == 0 ? 0 : _ends[cell - 1];
            var length = _ends[cell] - first;
            var end = start;
            for (; end < visits.Length && cells[visits[end]] == cell; end++)
            {
                queries.Slice(visits[end] / NumberOfProbes * Dimension, Dimension)
                    .CopyTo(gathered.AsSpan((end - start) * Dimension, Dimension));
            }

            if (length > 0)
            {
                using var scope = NewDisposeScope();
                var block = _vectors.narrow(0, first, length);                      // [length, D]
                var found = Product(gathered.AsSpan(0, (end - start) * Dimension), end - start, block);
                for (var i = start; i < end; i++)
                {
                    var query = visits[i] / NumberOfProbes;
                    TopScores.Scan(found.Slice((i - start) * length, length), first, scores.AsSpan(query * k, k), rows.AsSpan(query * k, k));
                }
            }

            start = end;
        }

        for (var query = 0; query < count; query++)
        {
            if (queries.Slice(query * Dimension, Dimension).IndexOfAnyExcept(0f) < 0)
                continue;                                                           // no direction, no neighbors
            long[] places = [.. rows.AsSpan(query * k, k)];
            CosineRefinement.Choose(queries.Slice(query * Dimension, Dimension), [.. places.Select(place => place < 0 ? -1 : _rows[place])],
                i => MemoryMarshal.Cast<byte, float>(_vectors.bytes).Slice((int)places[i] * Dimension, Dimension),
                askedRows.Slice(query * asked, asked), askedScores.Slice(query * asked, asked));
        }
    }

    protected override IReadOnlyList<Tensor> Describe(Dictionary<string, Tensor> tensors, JsonObject content)
    {
        content[CellsName] = new JsonObject { [ProbesKey] = NumberOfProbes };
        tensors.Add(CentersName, _centers);
        tensors.Add(EndsName, tensor(Array.ConvertAll(_ends, end => (long)end)));
        tensors.Add(RowsName, tensor(_rows));
        return [_vectors];
    }

    protected override void Free()
    {
        _centers.Dispose();
        _vectors.Dispose();
    }

    // [count, rows of the others], valid as long as the caller's dispose scope.
    private Span<float> Product(ReadOnlySpan<float> queries, int count, Tensor others)
    {
        var host = empty([count, Dimension], ScalarType.Float32);
        MemoryMarshal.AsBytes(queries).CopyTo(host.bytes);
        return MemoryMarshal.Cast<byte, float>(host.mm(others.t()).bytes);
    }

    private static long[] Longs(Tensor values)
    {
        if (values.dtype != ScalarType.Int64)
            throw new FormatException($"The saved neighbors are damaged: {values.dtype} numbers where Int64 ones belong.");
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, long>(values.contiguous().bytes).ToArray();
    }
}

/// <summary>Clusters vectors of length 1 by their cosine.</summary>
internal static class SphericalKMeans
{
    private const int Rounds = 10, SampleRowsPerCenter = 64, RowsAtOnce = 4096;

    /// <summary>Centers of length 1, found on a sample of at most 64 vectors a center.</summary>
    /// <param name="vectors">[N, D], of length 1.</param>
    /// <param name="count">Number of centers, at most N.</param>
    /// <param name="random">Draws the sample.</param>
    /// <returns>[count, D], in the caller's dispose scope.</returns>
    public static Tensor Fit(Tensor vectors, int count, Random random)
    {
        using var scope = NewDisposeScope();
        var order = Enumerable.Range(0, (int)vectors.shape[0]).Select(row => (long)row).ToArray();
        random.Shuffle(order);
        var sample = vectors.index_select(0, tensor(order[..(int)Math.Min(order.Length, (long)SampleRowsPerCenter * count)]));
        var centers = sample.narrow(0, 0, count).clone();                           // [C, D]
        for (var round = 0; round < Rounds; round++)
        {
            using var step = NewDisposeScope();
            var nearest = Assign(sample, centers);
            var sums = zeros_like(centers).index_add_(0, tensor(Array.ConvertAll(nearest, c => (long)c)), sample, Number(1));
            var lengths = sums.norm(1, keepdim: true);                              // [C, 1]
            // A center without vectors stays where it is.
            var moved = where(lengths.gt(Number(1e-6)), sums / lengths.clamp_min(Number(1e-6)), centers);
            centers.copy_(moved);
        }

        return centers.MoveToOuterDisposeScope();
    }

    /// <summary>The nearest center of every vector.</summary>
    public static int[] Assign(Tensor vectors, Tensor centers)
    {
        var nearest = new int[vectors.shape[0]];
        for (long start = 0; start < nearest.Length; start += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var length = Math.Min(RowsAtOnce, nearest.Length - start);
            var best = vectors.narrow(0, start, length).mm(centers.t()).argmax(1);
            var host = MemoryMarshal.Cast<byte, long>(best.contiguous().bytes);
            for (var i = 0; i < host.Length; i++)
                nearest[start + i] = (int)host[i];
        }

        return nearest;
    }
}
