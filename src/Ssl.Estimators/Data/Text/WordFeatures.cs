using System.Globalization;
using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>
/// What a linear tagger goes by: of each unit and of its two neighbors on each side the word without case, its shape ("Xxxxx", "dd.d"), its beginning
/// and its end, each hashed to a number. Nothing is learned: the same text has the same numbers everywhere.
/// </summary>
internal static class WordFeatures
{
    /// <summary>Numbers are from 1 to less than this; 0 stands for every word.</summary>
    public const int Size = 1 << 16;

    /// <summary>Features of a unit.</summary>
    public const int Count = Kinds * (2 * Reach + 1);

    private const int Kinds = 4, Reach = 2, AffixLength = 3, LongestRun = 3;

    /// <summary>The features of all units, <see cref="Count"/> a unit, unit after unit.</summary>
    /// <param name="text">The text.</param>
    /// <param name="units">Its units.</param>
    public static int[] Of(ReadOnlySpan<char> text, IReadOnlyList<TextUnit> units)
    {
        // Four hashes a unit, and one mark for what is beyond either end; the place is mixed in afterwards.
        var own = new uint[units.Count * Kinds];
        for (var unit = 0; unit < units.Count; unit++)
            Hash(text.Slice(units[unit].Start, units[unit].Length), own.AsSpan(unit * Kinds, Kinds));
        var features = new int[units.Count * Count];
        for (var unit = 0; unit < units.Count; unit++)
        {
            for (var place = 0; place <= 2 * Reach; place++)
            {
                var neighbor = unit + place - Reach;
                for (var kind = 0; kind < Kinds; kind++)
                {
                    var hash = neighbor < 0 ? 1 : neighbor >= units.Count ? 2 : own[neighbor * Kinds + kind];
                    features[(unit * (2 * Reach + 1) + place) * Kinds + kind] = 1 + (int)(Mix(hash ^ (uint)((place * Kinds + kind + 1) * 0x9E3779B1)) % (Size - 1));
                }
            }
        }
        return features;
    }

    private static void Hash(ReadOnlySpan<char> word, Span<uint> hashes)
    {
        var lower = word.ToString().ToLowerInvariant();
        hashes[0] = Fnv(lower);
        hashes[1] = Fnv(Shape(word));
        hashes[2] = Fnv(word[..Math.Min(AffixLength, word.Length)]);
        hashes[3] = Fnv(word[Math.Max(0, word.Length - AffixLength)..]);
    }

    /// <summary>Letters as X and x, digits as d, everything else as it is; of a run of the same no more than three.</summary>
    internal static string Shape(ReadOnlySpan<char> word)
    {
        var shape = new StringBuilder();
        var run = 0;
        foreach (var c in word)
        {
            var sign = CharUnicodeInfo.GetUnicodeCategory(c) switch
            {
                UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => 'X',
                UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter => 'x',
                UnicodeCategory.DecimalDigitNumber => 'd',
                _ => c,
            };
            run = shape.Length > 0 && shape[^1] == sign ? run + 1 : 1;
            if (run <= LongestRun)
                shape.Append(sign);
        }
        return shape.ToString();
    }

    // Fowler, Noll and Vo's hash of the code units.
    private static uint Fnv(ReadOnlySpan<char> text)
    {
        var hash = 2166136261u;
        foreach (var c in text)
            hash = (((hash ^ (byte)c) * 16777619) ^ (uint)(c >> 8)) * 16777619;
        return hash;
    }

    // Murmur's finalizer: numbers that differ in one bit end far apart.
    private static uint Mix(uint hash)
    {
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }
}
