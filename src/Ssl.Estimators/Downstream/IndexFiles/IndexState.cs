using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>
/// What an index file holds after one of its blocks. A search keeps to one state from its first to its last row, however many blocks are added
/// meanwhile: blocks and runs beyond it are passed over, and so are removals.
/// </summary>
/// <param name="Mapping">The file.</param>
/// <param name="End">How far it is valid.</param>
/// <param name="Blocks">The blocks, and behind <paramref name="BlockCount"/> of them room or later ones.</param>
/// <param name="BlockCount">Blocks that count.</param>
/// <param name="RowCount">Rows in them, removed ones, too.</param>
/// <param name="Count">Rows that are there.</param>
/// <param name="Cells">Where the rows lie.</param>
internal sealed record IndexState(FileMapping Mapping, IndexEnd End, IndexBlock[] Blocks, int BlockCount, int RowCount, int Count, IndexCells Cells)
{
    /// <summary>The state of a file without blocks.</summary>
    public static IndexState Empty(FileMapping mapping) => new(mapping, new IndexEnd(0, IndexHeader.Size), [], 0, 0, 0, IndexCells.Single());

    /// <summary>The state after one more block.</summary>
    /// <param name="block">Of this file, behind the last one.</param>
    /// <param name="mapping">Reaches to the end of the block at least.</param>
    /// <exception cref="FormatException">The block does not fit the others.</exception>
    public IndexState With(IndexBlock block, FileMapping mapping)
    {
        var end = new IndexEnd(End.Sequence + 1, block.End);
        if (block.Header.IsCells)
        {
            if (BlockCount > 0 || Cells.Count > 1 || block.Header.Count < 1)
                throw IndexHeader.Damage("its cells stand behind rows");
            return this with { Mapping = mapping, End = end, Cells = IndexCells.Around(block, mapping) };
        }

        var removed = block.Removed(mapping);
        foreach (var row in removed)
        {
            if (row < 0 || row >= RowCount || !Find(row, out var index).IsThere(index, BlockCount + 1))
                throw IndexHeader.Damage($"block {end.Sequence} removes a row that is not there");
            Find(row, out index).Remove(index, BlockCount + 1);
        }
        var blocks = Blocks;
        if (BlockCount == blocks.Length)
            Array.Resize(ref blocks, Math.Max(16, 2 * blocks.Length));
        blocks[BlockCount] = block;
        Cells.Add(BlockCount, block.Cells(mapping));
        return this with
        {
            Mapping = mapping, End = end, Blocks = blocks, BlockCount = BlockCount + 1, RowCount = RowCount + block.Count,
            Count = Count - removed.Length + block.Count,
        };
    }

    /// <summary>The block of a row, and its place there.</summary>
    public IndexBlock Find(int row, out int index)
    {
        var (low, high) = (0, BlockCount - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Blocks[middle].FirstRow <= row)
                low = middle;
            else
                high = middle - 1;
        }
        index = row - Blocks[low].FirstRow;
        return Blocks[low];
    }
}
