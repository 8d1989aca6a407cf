using System.Runtime.InteropServices;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Reference vectors and the exact search among them by cosine similarity. Any number of threads may search at once.</summary>
internal sealed class NearestNeighborIndex : IDisposable
{
    /// <summary>The kind of archive.</summary>
    public const string Kind = "nearest-neighbors";

    private readonly Tensor[] _blocks;      // each [rows, Dimension], rows of length 1
    private readonly Device _device;
    private int _disposed;

    internal NearestNeighborIndex(Tensor[] blocks, int dimension, NeighborIds ids, NeighborSettings settings, Device device)
    {
        _blocks = blocks;
        _device = device;
        Dimension = dimension;
        Ids = ids;
        Settings = settings;
    }

    /// <summary>Length of the vectors.</summary>
    public int Dimension { get; }

    /// <summary>What the reference rows are called.</summary>
    public NeighborIds Ids { get; }

    /// <summary>Column names and the number of neighbours.</summary>
    public NeighborSettings Settings { get; }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => _disposed != 0;

    /// <summary>
    /// Finds the most similar reference rows. A query without direction (zero, NaN or infinite values) has no neighbours.
    /// </summary>
    /// <param name="queries">count x <see cref="Dimension"/> values; scaled to length 1 in place.</param>
    /// <param name="count">Number of queries.</param>
    /// <param name="rows">Takes count x k reference rows, best first; -1 where there are fewer than k.</param>
    /// <param name="scores">Takes count x k cosine similarities, falling; NaN where there is no neighbour.</param>
    public void Search(Span<float> queries, int count, Span<long> rows, Span<float> scores)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, typeof(NearestNeighborsTransformer));
        var k = Settings.NumberOfNeighbors;
        var found = Math.Min(k, Ids.Count);
        rows[..(count * k)].Fill(-1);
        scores[..(count * k)].Fill(float.NaN);
        var valid = new bool[count];
        for (var i = 0; i < count; i++)
        {
            var query = queries.Slice(i * Dimension, Dimension);
            valid[i] = Normalize(query);
            if (!valid[i])
            {
                query.Clear();
            }
        }

        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (bestScores, bestRows) = Best(queries[..(count * Dimension)], count, found);
        var allScores = MemoryMarshal.Cast<byte, float>(bestScores.bytes);
        var allRows = MemoryMarshal.Cast<byte, long>(bestRows.bytes);
        for (var i = 0; i < count; i++)
        {
            if (valid[i])
            {
                var queryRows = rows.Slice(i * k, found);
                var queryScores = scores.Slice(i * k, found);
                allRows.Slice(i * found, found).CopyTo(queryRows);
                allScores.Slice(i * found, found).CopyTo(queryScores);
                OrderTies(queryRows, queryScores);
            }
        }
    }

    /// <summary>Writes vectors, ids and settings.</summary>
    public void WriteArchive(Stream stream)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, typeof(NearestNeighborsTransformer));
        using var scope = NewDisposeScope();
        var tensors = Ids.ToTensors();
        for (var i = 0; i < _blocks.Length; i++)
        {
            tensors.Add(BlockName(i), _blocks[i]);
        }

        var content = Settings.ToJson();
        content["dimension"] = Dimension;
        content["blocks"] = _blocks.Length;
        ModelArchive.Write(stream, Kind, content, tensors);
    }

    /// <summary>Reads an index to the CPU.</summary>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static NearestNeighborIndex Read(Stream stream)
    {
        var (manifest, tensors) = ModelArchive.Open(stream);
        return Read(manifest, tensors, CPU);
    }

    /// <summary>Reads an index of which the manifest was read already.</summary>
    public static NearestNeighborIndex Read(ArchiveManifest manifest, SafeTensorsReader tensors, Device device)
    {
        if (manifest.Kind != Kind)
        {
            throw new FormatException($"The archive holds a model of kind '{manifest.Kind}', expected '{Kind}'.");
        }

        using var scope = NewDisposeScope();
        var all = tensors.ReadAll();
        try
        {
            var settings = NeighborSettings.FromJson(manifest.Content);
            var dimension = manifest.Content["dimension"]!.GetValue<int>();
            var blocks = Enumerable.Range(0, manifest.Content["blocks"]!.GetValue<int>()).Select(i => all[BlockName(i)]).ToArray();
            if (blocks.Length == 0 || blocks.Any(b => b.dtype != ScalarType.Float32 || b.ndim != 2 || b.shape[1] != dimension))
            {
                throw new FormatException($"The saved neighbours are damaged: their vectors are not all of length {dimension}.");
            }

            var ids = NeighborIds.FromTensors(all, checked((int)blocks.Sum(b => b.shape[0])));
            return new NearestNeighborIndex([.. blocks.Select(b => Own(b, device))], dimension, ids, settings, device);
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The saved neighbours are damaged: {e.Message}", e);
        }
        finally
        {
            foreach (var tensor in all.Values)
            {
                tensor.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            foreach (var block in _blocks)
            {
                block.Dispose();
            }
        }
    }

    /// <summary>Scales a vector to length 1; false, and unchanged, where it has no direction.</summary>
    public static bool Normalize(Span<float> vector)
    {
        // In double: the squares of a Single can overflow or vanish in Single.
        var sum = 0.0;
        foreach (var value in vector)
        {
            sum += (double)value * value;
        }

        if (!(sum > 0) || !double.IsFinite(sum))
        {
            return false;
        }

        var scale = 1 / Math.Sqrt(sum);
        for (var i = 0; i < vector.Length; i++)
        {
            vector[i] = (float)(vector[i] * scale);
        }

        return true;
    }

    /// <summary>The same values on a device, outside every dispose scope: the other handle stays with its owner.</summary>
    internal static Tensor Own(Tensor block, Device device) => block.to(device).alias().DetachFromDisposeScope();

    // The best of each block, then the best of those: never more scores in memory than one block's.
    private (Tensor Scores, Tensor Rows) Best(ReadOnlySpan<float> queries, int count, int found)
    {
        var host = empty([count, Dimension], ScalarType.Float32);
        MemoryMarshal.AsBytes(queries).CopyTo(host.bytes);
        var q = host.to(_device);                                        // [N, D]
        var scores = new List<Tensor>(_blocks.Length);
        var rows = new List<Tensor>(_blocks.Length);
        long offset = 0;
        foreach (var block in _blocks)
        {
            using var scope = NewDisposeScope();
            var similarity = q.matmul(block.t());                        // [N, rows of the block]
            var (values, indices) = similarity.topk((int)Math.Min(found, block.shape[0]), dim: 1);
            scores.Add(values.MoveToOuterDisposeScope());
            rows.Add(indices.add(offset).MoveToOuterDisposeScope());
            offset += block.shape[0];
        }

        var (bestScores, bestRows) = (scores[0], rows[0]);
        if (scores.Count > 1)
        {
            (bestScores, var places) = cat(scores, 1).topk(found, dim: 1);
            bestRows = cat(rows, 1).gather(1, places);
        }

        return (bestScores.cpu().contiguous(), bestRows.cpu().contiguous());
    }

    // Equal scores come in no particular order from the search; the first reference row goes first.
    private static void OrderTies(Span<long> rows, Span<float> scores)
    {
        for (var start = 0; start < rows.Length;)
        {
            var end = start + 1;
            while (end < rows.Length && scores[end] == scores[start])
            {
                end++;
            }

            rows[start..end].Sort();
            start = end;
        }
    }

    private static string BlockName(int i) => $"vectors.{i}";
}
