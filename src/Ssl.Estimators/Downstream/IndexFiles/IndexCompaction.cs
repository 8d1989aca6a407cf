using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>Writes the rows that are there into a new file, cell after cell.</summary>
internal sealed class IndexCompaction(IndexHeader header, IndexState state, Random random, CancellationToken cancellationToken)
{
    // Below that a search of all rows takes a millisecond. Cells are learned on 64 rows each, so these take 256 MB where vectors have 128 values.
    private const int FewestRowsForCells = 4096, MostCells = 8192;

    // Cells that were learned for so many times more or fewer rows are learned anew.
    private const int Growth = 4;

    private const int FloatsAtOnce = 1 << 22, SampleRowsPerCell = 64;

    private readonly int _dimension = header.Dimension;

    /// <summary>Writes the file.</summary>
    public void Write<TId>(Stream stream, IndexIds<TId> ids) where TId : notnull
    {
        var rows = RowsInOrder();
        var (cells, learnedFor, assigned) = CellsFor(rows);
        var keys = new long[rows.Length];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = (long)assigned[i] << 32 | (uint)i;
        Array.Sort(keys);

        var length = (long)IndexHeader.Size;
        var sequence = 0L;
        stream.Write(header.ToPage());
        if (cells.Length > 0)
        {
            Append(IndexBlock.ToBytes(new IndexBlockHeader(true, sequence + 1, cells.Length / _dimension, learnedFor, 0,
                IndexBlockHeader.PieceRowsOf(_dimension), 0), [], [], [], [], cells));
        }
        var most = Math.Clamp(FloatsAtOnce / _dimension, 1, 65_536);
        for (var first = 0; first < keys.Length; first += most)
        {
            var part = keys.AsSpan(first, Math.Min(most, keys.Length - first));
            var vectors = new float[part.Length * _dimension];
            var (partCells, orders, partIds) = (new int[part.Length], new int[part.Length], new TId[part.Length]);
            for (var i = 0; i < part.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                (partCells[i], orders[i]) = ((int)(part[i] >> 32), (int)part[i]);
                var block = state.Find(rows[orders[i]], out var index);
                block.Vectors(state.Mapping, index, 1).CopyTo(vectors.AsSpan(i * _dimension));
                partIds[i] = ids.Decode(block.Ids(state.Mapping), block.Count, index);
            }
            var encoded = ids.Encode(partIds);
            Append(IndexBlock.ToBytes(new IndexBlockHeader(false, sequence + 1, part.Length, 0, encoded.Length,
                IndexBlockHeader.PieceRowsOf(_dimension), 0), [], partCells, orders, encoded, vectors));
        }
        var end = new IndexEnd(sequence, length);
        stream.Position = IndexHeader.PlaceOf(end);
        stream.Write(end.ToBytes());

        void Append(byte[] bytes)
        {
            stream.Write(bytes);
            length += bytes.Length;
            sequence++;
        }
    }

    // The rows that are there, in the order in which they were added.
    private int[] RowsInOrder()
    {
        var rows = new int[state.Count];
        var orders = new int[state.Count];
        var next = 0;
        for (var number = 0; number < state.BlockCount; number++)
        {
            var block = state.Blocks[number];
            var blockOrders = block.Orders(state.Mapping);
            for (var i = 0; i < block.Count; i++)
            {
                if (block.IsThere(i, state.BlockCount))
                    (rows[next], orders[next++]) = (block.FirstRow + i, blockOrders[i]);
            }
        }
        Array.Sort(orders, rows);
        return rows;
    }

    private (float[] Centers, int LearnedFor, int[] Cells) CellsFor(int[] rows)
    {
        var current = state.Cells;
        var assigned = new int[rows.Length];
        if (header.Search != NeighborSearch.Approximate || rows.Length < FewestRowsForCells)
            return ([], 0, assigned);
        if (current.Centers.Length > 0 && rows.Length <= (long)Growth * current.LearnedFor && (long)rows.Length * Growth >= current.LearnedFor)
        {
            for (var number = 0; number < rows.Length; number++)
            {
                var block = state.Find(rows[number], out var index);
                assigned[number] = block.Cells(state.Mapping)[index];
            }
            return (current.Centers, current.LearnedFor, assigned);
        }

        var wanted = header.NumberOfCells > 0 ? header.NumberOfCells : Math.Min(MostCells, (int)Math.Ceiling(4 * Math.Sqrt(rows.Length)));
        var centers = Learn(rows, Math.Min(wanted, rows.Length));
        var cells = IndexCells.Around(centers, _dimension, rows.Length);
        var most = Math.Clamp(FloatsAtOnce / _dimension, 1, 65_536);
        for (var first = 0; first < rows.Length; first += most)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = new int[Math.Min(most, rows.Length - first)];
            cells.Assign(Vectors(rows.AsSpan(first, part.Length)), _dimension, part);
            part.CopyTo(assigned, first);
        }
        return (centers, rows.Length, assigned);
    }

    private float[] Learn(int[] rows, int count)
    {
        var sample = (int[])rows.Clone();
        random.Shuffle(sample);
        sample = sample[..(int)Math.Min(sample.Length, (long)SampleRowsPerCell * count)];
        var vectors = Vectors(sample);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        cancellationToken.ThrowIfCancellationRequested();
        var host = from_array(vectors).reshape(sample.Length, _dimension);         // [N, D]
        return MemoryMarshal.Cast<byte, float>(SphericalKMeans.Fit(host, count, random).contiguous().bytes).ToArray();
    }

    private float[] Vectors(ReadOnlySpan<int> rows)
    {
        var vectors = new float[rows.Length * _dimension];
        for (var i = 0; i < rows.Length; i++)
        {
            var block = state.Find(rows[i], out var index);
            block.Vectors(state.Mapping, index, 1).CopyTo(vectors.AsSpan(i * _dimension));
        }
        return vectors;
    }
}
