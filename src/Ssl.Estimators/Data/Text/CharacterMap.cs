using System.Buffers.Binary;
using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>
/// What SentencePiece replaces in a text before it cuts it, such as full-width letters by common ones: its precompiled map, a double-array trie
/// of UTF-8 texts and their replacements.
/// </summary>
internal sealed class CharacterMap
{
    private readonly uint[] _trie;
    private readonly byte[] _replacements;

    /// <summary>Reads a map.</summary>
    /// <param name="blob">The number of bytes of the trie, the trie, and the replacements, each with a 0 behind it.</param>
    /// <exception cref="FormatException">It is damaged.</exception>
    public CharacterMap(ReadOnlySpan<byte> blob)
    {
        var size = blob.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (size == 0 || size % 4 != 0 || size > blob.Length - 4)
            throw new FormatException("The precompiled map of characters is damaged: it does not have the length that it announces.");
        _trie = new uint[size / 4];
        for (var i = 0; i < _trie.Length; i++)
            _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(4 + 4 * i)..]);
        _replacements = blob[(int)(4 + size)..].ToArray();
    }

    /// <summary>The text with the longest known texts replaced, from the left.</summary>
    public string Replace(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var rest = bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes));
        var result = new List<byte>(rest.Length);
        while (rest.Length > 0)
        {
            var (length, place) = Find(rest);
            if (length > 0)
            {
                var replacement = _replacements.AsSpan(place);
                var end = replacement.IndexOf((byte)0);
                foreach (var b in end < 0 ? replacement : replacement[..end])
                    result.Add(b);
            }
            else
            {
                Rune.DecodeFromUtf8(rest, out _, out length);
                foreach (var b in rest[..length])
                    result.Add(b);
            }
            rest = rest[length..];
        }
        return Encoding.UTF8.GetString([.. result]);
    }

    // The longest known text at the beginning: its length, and where its replacement stands; 0 where there is none.
    private (int Length, int Place) Find(ReadOnlySpan<byte> text)
    {
        var (length, place) = (0, 0);
        long node = OffsetOf(_trie[0]);
        for (var i = 0; i < text.Length; i++)
        {
            node ^= text[i];
            if (text[i] == 0 || node >= _trie.Length || (_trie[node] & 0x8000_00FF) != text[i])
                break;
            var unit = _trie[node];
            node ^= OffsetOf(unit);
            if ((unit >> 8 & 1) != 0 && node < _trie.Length && (_trie[node] & 0x7FFF_FFFF) is var found && found < _replacements.Length)
                (length, place) = (i + 1, (int)found);
        }
        return (length, place);
    }

    private static long OffsetOf(uint unit) => (long)(unit >> 10) << (int)((unit & 1u << 9) >> 6);
}
