using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>Rows that came together, where they stand in a file. Their vectors are compared with their checksums when they are first read.</summary>
internal sealed class IndexBlock
{
    private readonly IndexBlockHeader _header;
    private readonly int _dimension;
    private readonly bool[] _isChecked;     // piece by piece; two threads may check the same one
    private int[]? _removedBy;              // by which block of the file, counted from 1; 0 for none

    private IndexBlock(long offset, IndexBlockHeader header, int dimension, int firstRow)
    {
        (Offset, _header, _dimension, FirstRow) = (offset, header, dimension, firstRow);
        _isChecked = new bool[header.Pieces];
    }

    /// <summary>Where it begins in the file.</summary>
    public long Offset { get; }

    /// <summary>Where it ends.</summary>
    public long End => Offset + _header.LengthFor(_dimension);

    /// <summary>The number of its first row in the file.</summary>
    public int FirstRow { get; }

    /// <summary>Rows in it, removed ones, too.</summary>
    public int Count => _header.Count;

    /// <summary>Its header.</summary>
    public IndexBlockHeader Header => _header;

    /// <summary>Reads a block, but not its vectors.</summary>
    /// <param name="mapping">The file.</param>
    /// <param name="offset">Where the block begins.</param>
    /// <param name="end">Where it must end at the latest.</param>
    /// <param name="sequence">The number that it must have.</param>
    /// <param name="dimension">Length of the vectors.</param>
    /// <param name="firstRow">Rows before it.</param>
    /// <returns>Null where it is not what was written.</returns>
    public static IndexBlock? Read(FileMapping mapping, long offset, long end, long sequence, int dimension, int firstRow)
    {
        if (end - offset < IndexBlockHeader.Size || IndexBlockHeader.Read(mapping.Bytes(offset, IndexBlockHeader.Size)) is not { } header
            || header.Sequence != sequence || header.LengthFor(dimension) > end - offset || header.Count > int.MaxValue - firstRow)
        {
            return null;
        }
        var structure = mapping.Bytes(offset + IndexBlockHeader.Size, (int)header.VectorsAt - IndexBlockHeader.Size);
        return Crc32C.Of(structure) == header.StructureChecksum ? new IndexBlock(offset, header, dimension, firstRow) : null;
    }

    /// <summary>The rows of blocks before it that it removes.</summary>
    public ReadOnlySpan<int> Removed(FileMapping mapping)
        => Numbers(mapping, IndexBlockHeader.RemovedAt, _header.IsCells ? 0 : _header.RemovedCount);

    /// <summary>The cells of its rows, rising.</summary>
    public ReadOnlySpan<int> Cells(FileMapping mapping) => Numbers(mapping, _header.CellsAt, Count);

    /// <summary>Where its rows come in the order in which rows were added.</summary>
    public ReadOnlySpan<int> Orders(FileMapping mapping) => Numbers(mapping, _header.OrdersAt, Count);

    /// <summary>The ids of its rows.</summary>
    public ReadOnlySpan<byte> Ids(FileMapping mapping) => mapping.Bytes(Offset + _header.IdsAt, _header.IdsLength);

    /// <summary>Some of its vectors.</summary>
    /// <exception cref="FormatException">They are not what was written.</exception>
    public ReadOnlySpan<float> Vectors(FileMapping mapping, int first, int count)
    {
        if (count > 0)
        {
            for (var piece = first / _header.PieceRows; piece <= (first + count - 1) / _header.PieceRows; piece++)
            {
                if (!Volatile.Read(ref _isChecked[piece]))
                    CheckPiece(mapping, piece);
            }
        }
        return MemoryMarshal.Cast<byte, float>(VectorBytes(mapping, first, count));
    }

    /// <summary>Compares everything with its checksums.</summary>
    /// <exception cref="FormatException">It is not what was written.</exception>
    public void Verify(FileMapping mapping)
    {
        if (Read(mapping, Offset, End, _header.Sequence, _dimension, FirstRow) is null)
            throw IndexHeader.Damage($"block {_header.Sequence} does not have the checksum that was written");
        for (var piece = 0; piece < _isChecked.Length; piece++)
            CheckPiece(mapping, piece);
    }

    /// <summary>Whether a row is there after so many blocks.</summary>
    public bool IsThere(int index, int blocks)
    {
        var removedBy = Volatile.Read(ref _removedBy);
        if (removedBy is null)
            return true;
        var block = Volatile.Read(ref removedBy[index]);
        return block == 0 || block > blocks;
    }

    /// <summary>Marks a row as removed by a block.</summary>
    public void Remove(int index, int block)
    {
        var removedBy = _removedBy ?? new int[Count];
        Volatile.Write(ref removedBy[index], block);
        Volatile.Write(ref _removedBy, removedBy);
    }

    /// <summary>The bytes of a block.</summary>
    /// <param name="header">Its counts; the checksum is computed here.</param>
    /// <param name="removed">Rows before it that it removes.</param>
    /// <param name="cells">Of its rows, rising.</param>
    /// <param name="orders">Of its rows.</param>
    /// <param name="ids">Of its rows, encoded.</param>
    /// <param name="vectors">Of its rows.</param>
    public static byte[] ToBytes(IndexBlockHeader header, ReadOnlySpan<int> removed, ReadOnlySpan<int> cells, ReadOnlySpan<int> orders,
        ReadOnlySpan<byte> ids, ReadOnlySpan<float> vectors)
    {
        var dimension = header.Count == 0 ? 1 : vectors.Length / header.Count;
        var bytes = new byte[header.LengthFor(dimension)];
        MemoryMarshal.AsBytes(removed).CopyTo(bytes.AsSpan(IndexBlockHeader.RemovedAt));
        MemoryMarshal.AsBytes(cells).CopyTo(bytes.AsSpan((int)header.CellsAt));
        MemoryMarshal.AsBytes(orders).CopyTo(bytes.AsSpan((int)header.OrdersAt));
        ids.CopyTo(bytes.AsSpan((int)header.IdsAt));
        MemoryMarshal.AsBytes(vectors).CopyTo(bytes.AsSpan((int)header.VectorsAt));
        for (var piece = 0; piece < header.Pieces; piece++)
        {
            var (place, length) = PieceOf(header, dimension, piece);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan((int)header.ChecksumsAt + piece * sizeof(uint)), Crc32C.Of(bytes.AsSpan((int)place, length)));
        }
        (header with { StructureChecksum = Crc32C.Of(bytes.AsSpan(IndexBlockHeader.Size..(int)header.VectorsAt)) }).WriteTo(bytes);
        return bytes;
    }

    private void CheckPiece(FileMapping mapping, int piece)
    {
        var written = BinaryPrimitives.ReadUInt32LittleEndian(mapping.Bytes(Offset + _header.ChecksumsAt + piece * sizeof(uint), sizeof(uint)));
        var (place, length) = PieceOf(_header, _dimension, piece);
        if (Crc32C.Of(mapping.Bytes(Offset + place, length)) != written)
            throw IndexHeader.Damage($"vectors of block {_header.Sequence} do not have the checksum that was written");
        Volatile.Write(ref _isChecked[piece], true);
    }

    // What a checksum of vectors covers, counted from the block's begin: the last one goes to its end, with the bytes that fill it up.
    private static (long Place, int Length) PieceOf(IndexBlockHeader header, int dimension, int piece)
    {
        var place = header.VectorsAt + (long)piece * header.PieceRows * dimension * sizeof(float);
        var end = piece == header.Pieces - 1 ? header.LengthFor(dimension) : place + (long)header.PieceRows * dimension * sizeof(float);
        return (place, (int)(end - place));
    }

    private ReadOnlySpan<byte> VectorBytes(FileMapping mapping, int first, int count)
        => mapping.Bytes(Offset + _header.VectorsAt + (long)first * _dimension * sizeof(float), count * _dimension * sizeof(float));

    private ReadOnlySpan<int> Numbers(FileMapping mapping, long place, int count)
        => MemoryMarshal.Cast<byte, int>(mapping.Bytes(Offset + place, count * sizeof(int)));
}
