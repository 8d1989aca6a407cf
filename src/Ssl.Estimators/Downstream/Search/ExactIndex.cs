using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Exact search: matrix products of the queries with blocks of all reference vectors, then the largest scores.</summary>
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
    {
        using var host = empty([count, Dimension], ScalarType.Float32);
        MemoryMarshal.AsBytes(queries).CopyTo(host.bytes);
        if (_device.type == TorchSharp.DeviceType.CPU)
            Scan(host, count, k, rows, scores);
        else
            FindOnDevice(host.to(_device), count, k, rows, scores);
    }

    protected override IReadOnlyList<Tensor> Describe(Dictionary<string, Tensor> tensors, JsonObject content) => _blocks;

    protected override void Free()
    {
        foreach (var block in _blocks)
            block.Dispose();
    }

    // One buffer takes the scores of every product: fresh memory of this size would be cleared by the system each time.
    private void Scan(Tensor queries, int count, int k, Span<long> rows, Span<float> scores)
    {
        var width = (int)Math.Clamp(ScoresAtOnce / count, 1, _blocks.Max(b => b.shape[0]));
        var (best, bestRows) = (scores.ToArray(), rows.ToArray());
        using var buffer = empty([count, width], ScalarType.Float32);
        long first = 0;
        foreach (var block in _blocks)
        {
            for (long start = 0; start < block.shape[0]; start += width)
            {
                using var scope = NewDisposeScope();
                var length = (int)Math.Min(width, block.shape[0] - start);
                var transposed = block.narrow(0, start, length).t();                        // [D, length]
                var product = length == width ? buffer : empty([count, length], ScalarType.Float32);
                product.addmm_(queries, transposed, beta: 0, alpha: 1);                     // [N, length]
                ScanRows(product, count, length, first + start, k, best, bestRows);
            }

            first += block.shape[0];
        }

        best.CopyTo(scores);
        bestRows.CopyTo(rows);
    }

    private static void ScanRows(Tensor product, int count, int length, long firstRow, int k, float[] best, long[] rows)
    {
        void ScanOne(int query) => TopScores.Scan(MemoryMarshal.Cast<byte, float>(product.bytes).Slice(query * length, length), firstRow,
            best.AsSpan(query * k, k), rows.AsSpan(query * k, k));

        if (count < 16)
        {
            for (var query = 0; query < count; query++)
                ScanOne(query);
        }
        else
        {
            Parallel.For(0, count, ScanOne);
        }
    }

    // The best of each block, then the best of those: never more scores in memory than one block's.
    private void FindOnDevice(Tensor queries, int count, int k, Span<long> rows, Span<float> scores)
    {
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
            OrderTies(queryRows, queryScores);
        }
    }

    /// <summary>Equal scores may come in any order from a search; the first reference row goes first.</summary>
    internal static void OrderTies(Span<long> rows, Span<float> scores)
    {
        for (var start = 0; start < rows.Length;)
        {
            var end = start + 1;
            while (end < rows.Length && scores[end] == scores[start])
                end++;
            rows[start..end].Sort();
            start = end;
        }
    }
}
