using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Ssl.Estimators.Persistence;

/// <summary>
/// Bytes as text, 15 bits a character in U+3400 to U+B3FF: letters that survive every text encoding, none of them a quote, a control
/// character or half of a surrogate pair. 8 characters hold 15 bytes.
/// </summary>
internal static class PackedText
{
    private const char First = '\u3400';
    private const int Mask = 0x7FFF;

    /// <summary>Number of characters for a number of bytes.</summary>
    public static int CharacterCount(int byteCount) => (int)(((long)byteCount * 8 + 14) / 15);

    /// <summary>Packs bytes into characters.</summary>
    // Optimised at first call: a process loads a model once, and would do most of it in unoptimised code.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(ReadOnlySpan<byte> bytes, Span<char> characters)
    {
        Span<byte> padded = stackalloc byte[15];
        Span<char> eight = stackalloc char[8];
        while (bytes.Length >= 15)
        {
            PackGroup(bytes, characters);
            bytes = bytes[15..];
            characters = characters[8..];
        }

        if (bytes.Length > 0)
        {
            padded.Clear();
            bytes.CopyTo(padded);
            PackGroup(padded, eight);
            eight[..CharacterCount(bytes.Length)].CopyTo(characters);
        }
    }

    /// <summary>Unpacks characters into bytes; there must be <see cref="CharacterCount"/> of them.</summary>
    /// <exception cref="FormatException">A character does not come from <see cref="Pack"/>.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Unpack(ReadOnlySpan<char> characters, Span<byte> bytes)
    {
        var foreign = 0;
        while (bytes.Length >= 15)
        {
            foreign |= UnpackGroup(characters, bytes);
            characters = characters[8..];
            bytes = bytes[15..];
        }

        if (bytes.Length > 0)
        {
            Span<char> eight = stackalloc char[8];
            Span<byte> fifteen = stackalloc byte[15];
            eight.Fill(First);
            characters[..CharacterCount(bytes.Length)].CopyTo(eight);
            foreign |= UnpackGroup(eight, fifteen);
            fifteen[..bytes.Length].CopyTo(bytes);
        }

        if ((foreign & ~Mask) != 0)
        {
            throw new FormatException("The saved model is damaged: its text holds characters that were not written by this package.");
        }
    }

    // 120 bits: the first word holds bits 0 to 63, the second bits 56 to 119, so that both are whole words within 15 bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PackGroup(ReadOnlySpan<byte> bytes, Span<char> characters)
    {
        var low = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        var high = BinaryPrimitives.ReadUInt64LittleEndian(bytes[7..]);
        characters[7] = (char)(First + (int)(high >> 49));
        characters[6] = (char)(First + ((int)(high >> 34) & Mask));
        characters[5] = (char)(First + ((int)(high >> 19) & Mask));
        characters[4] = (char)(First + ((int)(high >> 4) & Mask));
        characters[3] = (char)(First + ((int)(low >> 45) & Mask));
        characters[2] = (char)(First + ((int)(low >> 30) & Mask));
        characters[1] = (char)(First + ((int)(low >> 15) & Mask));
        characters[0] = (char)(First + ((int)low & Mask));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int UnpackGroup(ReadOnlySpan<char> characters, Span<byte> bytes)
    {
        int c7 = characters[7] - First, c6 = characters[6] - First, c5 = characters[5] - First, c4 = characters[4] - First;
        int c3 = characters[3] - First, c2 = characters[2] - First, c1 = characters[1] - First, c0 = characters[0] - First;
        var low = (ulong)(uint)c0 | ((ulong)(uint)c1 << 15) | ((ulong)(uint)c2 << 30) | ((ulong)(uint)c3 << 45) | ((ulong)(uint)c4 << 60);
        var high = ((ulong)(uint)c3 >> 11) | ((ulong)(uint)c4 << 4) | ((ulong)(uint)c5 << 19) | ((ulong)(uint)c6 << 34) |
            ((ulong)(uint)c7 << 49);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, low);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[7..], high);
        return c0 | c1 | c2 | c3 | c4 | c5 | c6 | c7;
    }
}
