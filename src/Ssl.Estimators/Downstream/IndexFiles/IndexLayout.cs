using System.Buffers.Binary;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>The first page of an index file: what it is for, and at two places how far it is valid.</summary>
/// <param name="Dimension">Length of the vectors.</param>
/// <param name="IdKind">How ids are written (<see cref="IndexIds{TId}.Kind"/>).</param>
/// <param name="Search">How it is searched where a search does not say.</param>
/// <param name="NumberOfCells">Cells that were asked for; 0 where they follow from the number of rows.</param>
/// <remarks>
/// <para>An index file is this page and blocks behind it, which are only ever appended, each with what one call added and removed. All numbers are
/// little-endian, all parts begin at multiples of 64 bytes.</para>
/// <para>A block counts once its end stands in one of the two places, which are written in turn, after the block has reached the disk: what a
/// process left behind that was killed while it wrote is beyond that end. What lies before it was complete, so a checksum that does not fit means
/// damage.</para>
/// </remarks>
internal sealed record IndexHeader(int Dimension, int IdKind, NeighborSearch Search, int NumberOfCells)
{
    /// <summary>Bytes of the page; the first block begins there.</summary>
    public const int Size = 4096;

    /// <summary>The longest vectors.</summary>
    public const int MaximumDimension = 65_536;

    private const int FormatVersion = 1, PartSize = 64;

    private static readonly int[] s_ends = [512, 1024];         // in sectors of their own

    private static ReadOnlySpan<byte> Mark => "SslNeighborIndex"u8;

    /// <summary>The page of an index without rows.</summary>
    public byte[] ToPage()
    {
        var page = new byte[Size];
        Mark.CopyTo(page);
        Put(page, 16, FormatVersion);
        Put(page, 20, Dimension);
        Put(page, 24, IdKind);
        Put(page, 28, (int)Search);
        Put(page, 32, NumberOfCells);
        Seal(page.AsSpan(0, PartSize));
        foreach (var place in s_ends)
            new IndexEnd(0, Size).ToBytes().CopyTo(page, place);
        return page;
    }

    /// <summary>Reads the page.</summary>
    /// <param name="page">The first bytes of a file.</param>
    /// <returns>The page, and of the two ends the later one that is whole.</returns>
    /// <exception cref="FormatException">It is none, damaged, or of a newer version.</exception>
    public static (IndexHeader Header, IndexEnd End) Read(ReadOnlySpan<byte> page)
    {
        if (page.Length < Mark.Length || !page.StartsWith(Mark))
            throw new FormatException("is no index file: it does not begin as one does. Index files are made by CreateNeighborIndex.");
        if (page.Length < Size)
            throw Damage("its first page is cut off");
        if (!IsSealed(page[..PartSize]))
            throw Damage("its first page does not have the checksum that was written");
        var version = Get(page, 16);
        if (version != FormatVersion)
            throw new FormatException($"is an index file of version {version}; this version of the package reads {FormatVersion}. Update the package.");
        var header = new IndexHeader(Get(page, 20), Get(page, 24), (NeighborSearch)Get(page, 28), Get(page, 32));
        if (header.Dimension is < 1 or > MaximumDimension || !Enum.IsDefined(header.Search) || header.NumberOfCells < 0)
            throw Damage("its first page states what no index has");
        IndexEnd? last = null;
        foreach (var place in s_ends)
        {
            if (IndexEnd.Read(page.Slice(place, IndexEnd.Size)) is { } end && (last is null || end.Sequence > last.Sequence))
                last = end;
        }
        return (header, last ?? throw Damage("both places that say how far it is valid are unreadable"));
    }

    /// <summary>Where the end of a block is written.</summary>
    public static int PlaceOf(IndexEnd end) => s_ends[end.Sequence % s_ends.Length];

    /// <summary>The next multiple of 64.</summary>
    public static long Align(long size) => (size + PartSize - 1) / PartSize * PartSize;

    /// <summary>What a damaged file is refused with; the path is put before it.</summary>
    public static FormatException Damage(string what)
        => new($"is damaged: {what}. Restore a copy, or make the index anew with CreateNeighborIndex.");

    /// <summary>Puts the checksum of all but its last four bytes there.</summary>
    public static void Seal(Span<byte> part) => BinaryPrimitives.WriteUInt32LittleEndian(part[^4..], Crc32C.Of(part[..^4]));

    /// <summary>Whether the checksum is right.</summary>
    public static bool IsSealed(ReadOnlySpan<byte> part) => BinaryPrimitives.ReadUInt32LittleEndian(part[^4..]) == Crc32C.Of(part[..^4]);

    internal static void Put(Span<byte> bytes, int place, int value) => BinaryPrimitives.WriteInt32LittleEndian(bytes[place..], value);

    internal static int Get(ReadOnlySpan<byte> bytes, int place) => BinaryPrimitives.ReadInt32LittleEndian(bytes[place..]);
}

/// <summary>How far a file is valid.</summary>
/// <param name="Sequence">How many blocks there are.</param>
/// <param name="Length">Where the last of them ends.</param>
internal sealed record IndexEnd(long Sequence, long Length)
{
    /// <summary>Bytes that it takes.</summary>
    public const int Size = 32;

    /// <summary>As it is written.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Size];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), Length);
        IndexHeader.Seal(bytes);
        return bytes;
    }

    /// <summary>Null where it is not what was written.</summary>
    public static IndexEnd? Read(ReadOnlySpan<byte> bytes)
    {
        var end = new IndexEnd(BinaryPrimitives.ReadInt64LittleEndian(bytes), BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]));
        return IndexHeader.IsSealed(bytes) && end is { Sequence: >= 0, Length: >= IndexHeader.Size } ? end : null;
    }
}

/// <summary>The first 64 bytes of a block.</summary>
/// <param name="IsCells">Whether it holds the centers of cells, else rows.</param>
/// <param name="Sequence">Its number, from 1.</param>
/// <param name="Count">Rows that it adds, or centers.</param>
/// <param name="RemovedCount">Rows of blocks before it that it removes; of centers the number of rows that they were learned for.</param>
/// <param name="IdsLength">Bytes of the ids.</param>
/// <param name="PieceRows">Vectors that share a checksum.</param>
/// <param name="StructureChecksum">Of what lies between this header and the vectors.</param>
/// <remarks>
/// Behind the header: the numbers of the removed rows; the cells of the added ones, rising; where each comes in the order in which rows were added;
/// the checksums of the vectors; the ids; the vectors. Of centers: their checksums and the vectors.
/// </remarks>
internal sealed record IndexBlockHeader(bool IsCells, long Sequence, int Count, int RemovedCount, int IdsLength, int PieceRows, uint StructureChecksum)
{
    /// <summary>Bytes that it takes.</summary>
    public const int Size = 64;

    // Short enough to be checked when a few of its rows are wanted.
    private const int PieceBytes = 1 << 16;

    private const int RowsMark = 0x52_4C_53_53, CellsMark = 0x43_4C_53_53;

    /// <summary>How many vectors of a length share a checksum.</summary>
    public static int PieceRowsOf(int dimension) => Math.Max(1, PieceBytes / (sizeof(float) * dimension));

    /// <summary>Checksums of vectors.</summary>
    public int Pieces => (Count + PieceRows - 1) / PieceRows;

    /// <summary>Where the parts begin, counted from the block's begin.</summary>
    public static int RemovedAt => Size;

    /// <inheritdoc cref="RemovedAt"/>
    public long CellsAt => RemovedAt + (IsCells ? 0 : (long)RemovedCount * sizeof(int));

    /// <inheritdoc cref="RemovedAt"/>
    public long OrdersAt => CellsAt + RowNumbers;

    /// <inheritdoc cref="RemovedAt"/>
    public long ChecksumsAt => OrdersAt + RowNumbers;

    /// <inheritdoc cref="RemovedAt"/>
    public long IdsAt => (ChecksumsAt + (long)Pieces * sizeof(uint) + 7) / 8 * 8;

    /// <inheritdoc cref="RemovedAt"/>
    public long VectorsAt => IndexHeader.Align(IdsAt + IdsLength);

    /// <summary>Bytes of the whole block.</summary>
    public long LengthFor(int dimension) => IndexHeader.Align(VectorsAt + (long)Count * dimension * sizeof(float));

    private long RowNumbers => IsCells ? 0 : (long)Count * sizeof(int);

    /// <summary>As it is written.</summary>
    public void WriteTo(Span<byte> bytes)
    {
        bytes = bytes[..Size];
        bytes.Clear();
        IndexHeader.Put(bytes, 0, IsCells ? CellsMark : RowsMark);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], Sequence);
        IndexHeader.Put(bytes, 16, Count);
        IndexHeader.Put(bytes, 20, RemovedCount);
        IndexHeader.Put(bytes, 24, IdsLength);
        IndexHeader.Put(bytes, 28, PieceRows);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[32..], StructureChecksum);
        IndexHeader.Seal(bytes);
    }

    /// <summary>Null where it is not what was written.</summary>
    public static IndexBlockHeader? Read(ReadOnlySpan<byte> bytes)
    {
        var mark = IndexHeader.Get(bytes, 0);
        if (!IndexHeader.IsSealed(bytes[..Size]) || mark is not (RowsMark or CellsMark))
            return null;
        var header = new IndexBlockHeader(mark == CellsMark, BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), IndexHeader.Get(bytes, 16),
            IndexHeader.Get(bytes, 20), IndexHeader.Get(bytes, 24), IndexHeader.Get(bytes, 28), BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]));
        return header is { Count: >= 0, RemovedCount: >= 0, IdsLength: >= 0, PieceRows: > 0 } && header.VectorsAt <= Array.MaxLength ? header : null;
    }
}
