using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Reference vectors of length 1 and the search for the most similar of them. Any number of threads may search at once.</summary>
internal abstract class VectorIndex : IDisposable
{
    private const string DimensionKey = "dimension", BlocksKey = "blocks", CellsKey = "cells";

    private int _disposed;

    private protected VectorIndex(int dimension, int count) => (Dimension, Count) = (dimension, count);

    /// <summary>Length of the vectors.</summary>
    public int Dimension { get; }

    /// <summary>Number of reference vectors.</summary>
    public int Count { get; }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => _disposed != 0;

    /// <summary>
    /// Finds the most similar reference rows. A query without direction (zero, NaN or infinite values) has no neighbors.
    /// </summary>
    /// <param name="queries">count x <see cref="Dimension"/> values; scaled to length 1 in place.</param>
    /// <param name="count">Number of queries.</param>
    /// <param name="k">Neighbors a query. At least 1.</param>
    /// <param name="rows">Takes count x k reference rows, best first; -1 where there are fewer than k.</param>
    /// <param name="scores">Takes count x k cosine similarities, falling; NaN where there is no neighbor.</param>
    public void Search(Span<float> queries, int count, int k, Span<long> rows, Span<float> scores)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        queries = queries[..(count * Dimension)];
        rows = rows[..(count * k)];
        scores = scores[..(count * k)];
        rows.Fill(-1);
        scores.Fill(TopScores.None);
        var valid = new bool[count];
        for (var i = 0; i < count; i++)
        {
            var query = queries.Slice(i * Dimension, Dimension);
            valid[i] = UnitVector.Normalize(query);
            if (!valid[i])
                query.Clear();
        }

        using (NewDisposeScope())
        using (no_grad())
            Find(queries, count, k, rows, scores);

        for (var i = 0; i < scores.Length; i++)
        {
            if (!valid[i / k] || rows[i] < 0)
                (rows[i], scores[i]) = (-1, float.NaN);
        }
    }

    /// <summary>Writes vectors and structure.</summary>
    /// <param name="tensors">Takes the vectors; they stay the index's.</param>
    /// <param name="content">Takes the rest.</param>
    public void AddTo(Dictionary<string, Tensor> tensors, JsonObject content)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        content[DimensionKey] = Dimension;
        var blocks = Describe(tensors, content);
        content[BlocksKey] = blocks.Count;
        for (var i = 0; i < blocks.Count; i++)
            tensors.Add(BlockName(i), blocks[i]);
    }

    /// <summary>Reads what <see cref="AddTo"/> wrote.</summary>
    /// <exception cref="FormatException">It is damaged.</exception>
    public static VectorIndex Read(JsonObject content, IReadOnlyDictionary<string, Tensor> tensors, Device device)
    {
        var dimension = content[DimensionKey]!.GetValue<int>();
        var count = content[BlocksKey]!.GetValue<int>();
        if (count < 1 || count > tensors.Count)
            throw new FormatException($"The saved neighbors are damaged: {count} blocks of vectors are stated, {tensors.Count} tensors are there.");
        var blocks = Enumerable.Range(0, count).Select(i => tensors[BlockName(i)]).ToArray();
        if (blocks.Any(b => b.dtype != ScalarType.Float32 || b.ndim != 2 || b.shape[1] != dimension))
            throw new FormatException($"The saved neighbors are damaged: their vectors are not all of length {dimension}.");
        return content[CellsKey] is { } cells
            ? CellIndex.Read(cells.AsObject(), tensors, blocks, dimension)
            : new ExactIndex([.. blocks.Select(b => Own(b, device))], dimension, device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Free();
    }

    /// <summary>The same values on a device, outside every dispose scope: the other handle stays with its owner.</summary>
    internal static Tensor Own(Tensor block, Device device)
    {
        using var scope = NewDisposeScope();
        return block.to(device).alias().DetachFromDisposeScope();
    }

    /// <summary>Searches for queries of length 1; places without a neighbor stay as they are.</summary>
    /// <param name="queries">count x <see cref="Dimension"/> values; all 0 where a query has no direction.</param>
    /// <param name="count">Number of queries.</param>
    /// <param name="k">Neighbors a query.</param>
    /// <param name="rows">-1 everywhere.</param>
    /// <param name="scores"><see cref="TopScores.None"/> everywhere.</param>
    protected abstract void Find(ReadOnlySpan<float> queries, int count, int k, Span<long> rows, Span<float> scores);

    /// <summary>Adds everything but the vectors, and returns these.</summary>
    protected abstract IReadOnlyList<Tensor> Describe(Dictionary<string, Tensor> tensors, JsonObject content);

    /// <summary>Lets the vectors go.</summary>
    protected abstract void Free();

    /// <summary>Under which name the structure of an approximate index stands.</summary>
    private protected static string CellsName => CellsKey;

    private static string BlockName(int i) => $"vectors.{i}";
}

/// <summary>Vectors on the host.</summary>
internal static class UnitVector
{
    /// <summary>Scales a vector to length 1; false, and unchanged, where it has no direction.</summary>
    public static bool Normalize(Span<float> vector)
    {
        // In double: the squares of a Single can overflow or vanish in Single.
        var sum = 0.0;
        foreach (var value in vector)
            sum += (double)value * value;
        if (!(sum > 0) || !double.IsFinite(sum))
            return false;

        var scale = 1 / Math.Sqrt(sum);
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)(vector[i] * scale);
        return true;
    }
}
