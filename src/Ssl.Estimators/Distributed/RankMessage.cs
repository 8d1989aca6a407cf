using System.Buffers.Binary;
using System.Text;

namespace Ssl.Estimators.Distributed;

/// <summary>At which point of the program a process is.</summary>
internal enum RankCall
{
    /// <summary>Waits for the others.</summary>
    Wait = 1,

    /// <summary>Begins a Fit.</summary>
    Fit,

    /// <summary>Agrees on a number in a Fit.</summary>
    Agree,

    /// <summary>Begins a step, or has no further one.</summary>
    Step,

    /// <summary>Failed between two steps.</summary>
    Fail,

    /// <summary>Ends.</summary>
    Leave,
}

/// <summary>What processes tell each other between the computations: of the same length, whatever it says.</summary>
/// <param name="Call">At which point the process is.</param>
internal sealed record RankMessage(RankCall Call)
{
    /// <summary>Columns whose lengths have room.</summary>
    public const int MostColumns = 4;

    private const int TextStart = 5 * sizeof(long) + MostColumns * sizeof(long), TextLength = 900;

    /// <summary>A number to agree on; seconds that have passed.</summary>
    public double Number { get; init; }

    /// <summary>A mark to agree on; whether the caller canceled.</summary>
    public bool Flag { get; init; }

    /// <summary>Rows of the step; 0 where there is no further one.</summary>
    public long Rows { get; init; }

    /// <summary>How long the rows of each column are with their padding.</summary>
    public long[] Lengths { get; init; } = [];

    /// <summary>What went wrong.</summary>
    public string Text { get; init; } = "";

    public byte[] ToBytes()
    {
        var bytes = new byte[TextStart + TextLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, (long)Call);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(8), Number);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), Flag ? 1 : 0);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), Rows);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(32), Lengths.Length);
        for (var i = 0; i < Lengths.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40 + 8 * i), Lengths[i]);
        Encoding.UTF8.GetEncoder().Convert(Text, bytes.AsSpan(TextStart), flush: true, out _, out _, out _);
        return bytes;
    }

    public static RankMessage From(byte[] bytes) => new((RankCall)BinaryPrimitives.ReadInt64LittleEndian(bytes))
    {
        Number = BinaryPrimitives.ReadDoubleLittleEndian(bytes.AsSpan(8)),
        Flag = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(16)) != 0,
        Rows = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(24)),
        Lengths = [.. Enumerable.Range(0, (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(32)))
            .Select(i => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(40 + 8 * i)))],
        Text = Encoding.UTF8.GetString(bytes, TextStart, TextLength).TrimEnd('\0'),
    };
}
