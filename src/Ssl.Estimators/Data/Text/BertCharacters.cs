using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>The classes of characters that BERT's tokenizers know.</summary>
/// <remarks>
/// Decompositions come from a table of our own: <see cref="string.Normalize()"/> does nothing where an application runs without ICU
/// (InvariantGlobalization), and "café" would be another word there.
/// </remarks>
internal static class BertCharacters
{
    private const string ResourceName = "Ssl.Estimators.Decompositions.txt";

    private const int HangulFirst = 0xAC00, HangulLast = 0xD7A3, LeadFirst = 0x1100, VowelFirst = 0x1161, TrailBefore = 0x11A7;
    private const int Vowels = 21, Trails = 28;

    private static readonly Lazy<FrozenDictionary<int, Rune[]>> s_decompositions = new(ReadDecompositions);

    /// <summary>Whether a character is dropped: control and format characters, unassigned ones, U+0000 and U+FFFD.</summary>
    public static bool IsDropped(Rune rune) => rune.Value switch
    {
        '\t' or '\n' or '\r' => false,
        < 0x7F => rune.Value < ' ',
        0xFFFD => true,
        _ => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned,
    };

    /// <summary>Whether a character that is not dropped separates words.</summary>
    public static bool IsSpace(Rune rune) => rune.Value < 0x80
        ? rune.Value is ' ' or '\t' or '\n' or '\r'
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator;

    /// <summary>Whether a character is a word of its own: ASCII that is no letter or digit, and punctuation.</summary>
    public static bool IsPunctuation(Rune rune) => rune.Value < 0x80
        ? rune.Value > ' ' && rune.Value < 0x7F && !char.IsAsciiLetterOrDigit((char)rune.Value)
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation
            or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
            or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    /// <summary>Whether a character is Chinese in BERT's sense: the ideographs, not kana or Hangul.</summary>
    public static bool IsChinese(Rune rune) => rune.Value is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF
        or >= 0x2A700 and <= 0x2B73F or >= 0x2B740 and <= 0x2B81F or >= 0x2B820 and <= 0x2CEAF or >= 0xF900 and <= 0xFAFF
        or >= 0x2F800 and <= 0x2FA1F;

    /// <summary>What a character becomes by <paramref name="rules"/>.</summary>
    /// <param name="rune">A character that is neither dropped nor a space.</param>
    /// <param name="rules">Case and accents.</param>
    /// <param name="target">Takes up to four characters.</param>
    /// <returns>How many; 0 for an accent that is stripped.</returns>
    public static int Normalize(Rune rune, BertRules rules, Span<Rune> target)
    {
        if (rune.Value < 0x80)
        {
            target[0] = rules.LowerCase && rune.Value is >= 'A' and <= 'Z' ? new Rune(rune.Value | 0x20) : rune;
            return 1;
        }
        var count = rules.StripAccents ? Strip(rune, target) : 1;
        if (!rules.StripAccents)
            target[0] = rune;
        if (!rules.LowerCase)
            return count;
        if (count == 1 && target[0].Value == 'İ')        // the only letter whose small form is two characters
        {
            (target[0], target[1]) = (new Rune('i'), new Rune('\u0307'));
            return 2;
        }
        for (var i = 0; i < count; i++)
            target[i] = Rune.ToLowerInvariant(target[i]);
        return count;
    }

    private static int Strip(Rune rune, Span<Rune> target)
    {
        if (rune.Value is >= HangulFirst and <= HangulLast)
        {
            var (syllable, trail) = Math.DivRem(rune.Value - HangulFirst, Trails);
            target[0] = new Rune(LeadFirst + syllable / Vowels);
            target[1] = new Rune(VowelFirst + syllable % Vowels);
            target[2] = new Rune(TrailBefore + trail);
            return trail == 0 ? 2 : 3;
        }
        if (s_decompositions.Value.TryGetValue(rune.Value, out var parts))
        {
            parts.CopyTo(target);
            return parts.Length;
        }
        target[0] = rune;
        return Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark ? 0 : 1;
    }

    private static FrozenDictionary<int, Rune[]> ReadDecompositions()
    {
        using var stream = typeof(BertCharacters).Assembly.GetManifestResourceStream(ResourceName)!;
        using var reader = new StreamReader(stream);
        var table = new Dictionary<int, Rune[]>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            int[] numbers = [.. line.Split(' ').Select(number => int.Parse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            table.Add(numbers[0], [.. numbers.Skip(1).Select(number => new Rune(number))]);
        }
        return table.ToFrozenDictionary();
    }
}
