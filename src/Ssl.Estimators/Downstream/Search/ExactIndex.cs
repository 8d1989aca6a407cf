using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>
/// Exact search: matrix products of the queries with blocks of all reference vectors, then the largest scores, whose cosines are computed once
/// more. Of equal cosines the first reference row comes first.
/// </summary>
internal sealed class ExactIndex : VectorIndex
{
    // Scores of one product on the CPU: they are scanned while they are still in the cache.
    private const int ScoresAtOnce = 1 << 20;

    private readonly Tensor[] _blocks;      // each [rows, Dimension], rows of length 1
    private readonly Device _device;

    /// <summary>An index of these vectors, which belong to it from now on.</summary>
    public ExactIndex(Tensor[] blocks, int dimension, Device device) : base(dimension, checked((int)blocks.Sum(b => b.shape[0])))
        => (_blocks, _device) = (blocks, device);

    /// <summary>The vectors, in blocks of rows.</summary>
    internal IReadOnlyList<Tensor> Blocks => _blocks;

    /// <summary>Some of the vectors, one after the other.</summary>
    internal float[] Vectors(IReadOnlyList<int> rows)
    {
        using var scope = NewDisposeScope();
        var chosen = tensor(rows.Select(row => (long)row).ToArray());
        var all = _blocks.Length == 1 ? _blocks[0] : cat(_blocks, 0);
        var picked = all.index_select(0, chosen.to(_device)).cpu().contiguous();
        return MemoryMarshal.Cast<byte, float>(picked.bytes).ToArray();
    }

    protected override void Find(ReadOnlySpan<float> queries, int count, int k, Span<long> rows, Span<float> scores)
        => Find(queries, count, k, rows, scores, onDevice: _device.type != TorchSharp.DeviceType.CPU);

    /// <summary>The search as it is on a device, or on the host.</summary>
    internal void Find(ReadOnlySpan<float> queries, int count, int k, Span<long> rows, Span<float> scores, bool onDevice)
    {
        var searched = Math.Min(Count, k + CosineRefinement.Spare);
        var (found, foundScores) = (new long[count * searched], new float[count * searched]);
        Array.Fill(found, -1);
        Array.Fill(foundScores, TopScores.None);
        using var host = empty([count, Dimension], ScalarType.Float32);
        MemoryMarshal.AsBytes(queries).CopyTo(host.bytes);
        if (onDevice)
            FindOnDevice(host, count, searched, found, foundScores);
        else
            Scan(width => new SingleProduct(host, width), count, searched, found, foundScores);

        var candidates = onDevice ? Gather(found) : null;
        var tolerance = CosineRefinement.Tolerance(Dimension);
        var (asked, chosen, chosenScores) = (queries.ToArray(), rows.ToArray(), scores.ToArray());
        var enough = new bool[count];
        ForEach(count, query =>
        {
            var own = found.AsSpan(query * searched, searched);
            // Where as many as were searched could be equal to the last one asked for, there may be more of them.
            var vector = asked.AsSpan(query * Dimension, Dimension);
            if (vector.IndexOfAnyExcept(0f) < 0)
            {
                // No direction, no neighbors.
                enough[query] = true;
                return;
            }
            enough[query] = searched == Count || foundScores[query * searched + k - 1] - foundScores[(query + 1) * searched - 1] > tolerance;
            if (enough[query])
            {
                CosineRefinement.Choose(vector, own,
                    place => candidates is null ? HostVector(found[query * searched + place])
                        : candidates.AsSpan((query * searched + place) * Dimension, Dimension),
                    chosen.AsSpan(query * k, k), chosenScores.AsSpan(query * k, k));
            }
        });
        int[] rest = [.. Enumerable.Range(0, count).Where(query => !enough[query])];
        if (rest.Length > 0)
            FindAmongEquals(host, rest, k, chosen, chosenScores);
        chosen.CopyTo(rows);
        chosenScores.CopyTo(scores);
    }

    // Queries with many rows that are as good as equal: all products once more in double precision, whose rounding to single precision makes equal
    // ones equal.
    private void FindAmongEquals(Tensor host, int[] queries, int k, long[] rows, float[] scores)
    {
        using var scope = NewDisposeScope();
        var chosen = host.index_select(0, tensor(queries.Select(query => (long)query).ToArray()));
        var (found, foundScores) = (new long[queries.Length * k], new float[queries.Length * k]);
        Array.Fill(found, -1);
        Array.Fill(foundScores, TopScores.None);
        Scan(_ => new DoubleProduct(chosen), queries.Length, k, found, foundScores);
        for (var i = 0; i < queries.Length; i++)
        {
            found.AsSpan(i * k, k).CopyTo(rows.AsSpan(queries[i] * k));
            foundScores.AsSpan(i * k, k).CopyTo(scores.AsSpan(queries[i] * k));
        }
    }

    private ReadOnlySpan<float> HostVector(long row)
    {
        foreach (var block in _blocks)
        {
            if (row < block.shape[0])
                return MemoryMarshal.Cast<byte, float>(block.bytes).Slice((int)row * Dimension, Dimension);
            row -= block.shape[0];
        }
        throw new ArgumentOutOfRangeException(nameof(row));
    }

    // Reference vectors from the device; any where a row is below 0.
    private float[] Gather(long[] rows)
    {
        using var scope = NewDisposeScope();
        var wanted = tensor(rows).to(_device);                                                          // [n]
        var all = zeros([rows.Length, Dimension], ScalarType.Float32, _device);
        long first = 0;
        foreach (var block in _blocks)
        {
            using var each = NewDisposeScope();
            var size = block.shape[0];
            var inside = wanted.ge(Number(first)).logical_and(wanted.lt(Number(first + size)));
            var places = wanted.sub(Number(first)).clamp(Number(0L), Number(size - 1));
            all.add_(block.index_select(0, places).mul(inside.unsqueeze(1)), One);
            first += size;
        }
        return MemoryMarshal.Cast<byte, float>(all.cpu().contiguous().bytes).ToArray();
    }

    protected override IReadOnlyList<Tensor> Describe(Dictionary<string, Tensor> tensors, JsonObject content) => _blocks;

    protected override void Free()
    {
        foreach (var block in _blocks)
            block.Dispose();
    }

    // Products of all queries with some reference rows: [queries, rows].
    private abstract class Products : IDisposable
    {
        public abstract Tensor Of(Tensor rows);

        public virtual void Dispose()
        {
        }
    }

    // One buffer takes the scores of every product: fresh memory of this size would be cleared by the system each time.
    private sealed class SingleProduct(Tensor queries, int width) : Products
    {
        private readonly Tensor _buffer = empty([queries.shape[0], width], ScalarType.Float32).DetachFromDisposeScope();

        public override Tensor Of(Tensor rows)
        {
            var product = rows.shape[0] == width ? _buffer : empty([queries.shape[0], rows.shape[0]], ScalarType.Float32);
            return product.addmm_(queries, rows.t(), beta: 0, alpha: 1);
        }

        public override void Dispose() => _buffer.Dispose();
    }

    private sealed class DoubleProduct(Tensor queries) : Products
    {
        private readonly Tensor _queries = Directions(queries).DetachFromDisposeScope();

        public override Tensor Of(Tensor rows) => _queries.mm(Directions(rows.cpu()).t()).to(ScalarType.Float32);

        public override void Dispose() => _queries.Dispose();

        // Of length 1 in double precision, too; a query without direction stays 0.
        private static Tensor Directions(Tensor vectors)
        {
            using var scope = NewDisposeScope();
            var doubles = vectors.to(ScalarType.Float64);
            return doubles.div(doubles.norm(1, keepdim: true).clamp_min(Number(1e-300))).MoveToOuterDisposeScope();
        }
    }

    private void Scan(Func<int, Products> create, int count, int k, long[] rows, float[] scores)
    {
        var width = (int)Math.Clamp(ScoresAtOnce / count, 1, _blocks.Max(b => b.shape[0]));
        using var products = create(width);
        long first = 0;
        foreach (var block in _blocks)
        {
            for (long start = 0; start < block.shape[0]; start += width)
            {
                using var scope = NewDisposeScope();
                var length = (int)Math.Min(width, block.shape[0] - start);
                var product = products.Of(block.narrow(0, start, length));
                var (firstRow, computed) = (first + start, length);
                ForEach(count, query => TopScores.Scan(MemoryMarshal.Cast<byte, float>(product.bytes).Slice(query * computed, computed), firstRow,
                    scores.AsSpan(query * k, k), rows.AsSpan(query * k, k)));
            }

            first += block.shape[0];
        }
    }

    private static void ForEach(int count, Action<int> one)
    {
        if (count < 16)
        {
            for (var query = 0; query < count; query++)
                one(query);
        }
        else
        {
            Parallel.For(0, count, one);
        }
    }

    // The best of each block, then the best of those: never more scores in memory than one block's.
    private void FindOnDevice(Tensor host, int count, int k, Span<long> rows, Span<float> scores)
    {
        using var all = NewDisposeScope();
        var queries = host.to(_device);
        var found = Math.Min(k, Count);
        var blockScores = new List<Tensor>(_blocks.Length);
        var blockRows = new List<Tensor>(_blocks.Length);
        long offset = 0;
        foreach (var block in _blocks)
        {
            using var scope = NewDisposeScope();
            var similarity = queries.mm(block.t());                         // [N, rows of the block]
            var (values, indices) = similarity.topk((int)Math.Min(found, block.shape[0]), dim: 1);
            blockScores.Add(values.MoveToOuterDisposeScope());
            blockRows.Add(indices.add(Number(offset), One).MoveToOuterDisposeScope());
            offset += block.shape[0];
        }

        var (bestScores, places) = cat(blockScores, 1).topk(found, dim: 1);
        var bestRows = cat(blockRows, 1).gather(1, places);
        var (hostScores, hostRows) = (bestScores.cpu().contiguous(), bestRows.cpu().contiguous());
        for (var i = 0; i < count; i++)
        {
            var queryRows = rows.Slice(i * k, found);
            var queryScores = scores.Slice(i * k, found);
            MemoryMarshal.Cast<byte, long>(hostRows.bytes).Slice(i * found, found).CopyTo(queryRows);
            MemoryMarshal.Cast<byte, float>(hostScores.bytes).Slice(i * found, found).CopyTo(queryScores);
        }
    }
}
