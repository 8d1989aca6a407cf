using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>A part of a text that gets a label of its own: characters from <paramref name="Start"/> on.</summary>
/// <param name="Start">UTF-16 code units before it.</param>
/// <param name="Length">UTF-16 code units in it.</param>
internal readonly record struct TextUnit(int Start, int Length)
{
    /// <summary>Code units before its end.</summary>
    public int End => Start + Length;
}

/// <summary>How a text is cut into the parts that get labels.</summary>
internal enum UnitKind
{
    /// <summary>What stands between white space: "USA." is one.</summary>
    Words,

    /// <summary>
    /// Runs of letters, digits and marks, and every other visible character by itself: "USA." are two. Of scripts without spaces
    /// (Chinese, Japanese, Thai, …) every character is one.
    /// </summary>
    Pieces,
}

/// <summary>
/// Cuts texts into units and each of these into tokens, so that every token is known to stand for certain characters, whatever the
/// tokenizer's normalization makes of them. Not safe for several threads at once.
/// </summary>
/// <param name="tokenizer">Cuts a unit.</param>
/// <param name="kind">What a unit is.</param>
/// <param name="mostTokens">Tokens of a unit that are kept. At least 1.</param>
internal sealed class TextUnits(TextTokenizer tokenizer, UnitKind kind, int mostTokens)
{
    // Blocks of scripts that write no spaces between words: Thai to Burmese, Khmer, Kana to Hangul-free CJK, CJK beyond the first plane.
    private static readonly (int First, int Last)[] s_withoutSpaces =
        [(0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)];

    private readonly List<TextUnit> _units = [];
    private readonly List<int> _starts = [];
    private readonly List<int> _ids = [];
    private char[] _spaced = [];

    /// <summary>The units of the text read last, in their order.</summary>
    public IReadOnlyList<TextUnit> Units => _units;

    /// <summary>The token ids of all units, one after the other.</summary>
    public List<int> Ids => _ids;

    /// <summary>Where the tokens of each unit begin in <see cref="Ids"/>, and their number at the end: one more than units.</summary>
    public IReadOnlyList<int> Starts => _starts;

    /// <summary>Cuts a text.</summary>
    public void Read(ReadOnlySpan<char> text)
    {
        Cut(text, kind, _units);
        _ids.Clear();
        _starts.Clear();
        foreach (var unit in _units)
        {
            var start = _ids.Count;
            _starts.Add(start);
            // Byte pairs tell a word behind a space from one that follows a character.
            if (tokenizer.Encode(unit.Start > 0 && char.IsWhiteSpace(text[unit.Start - 1]) ? Spaced(text.Slice(unit.Start, unit.Length))
                : text.Slice(unit.Start, unit.Length), _ids, mostTokens) == 0)
            {
                _ids.Add(tokenizer.Vocabulary.UnknownId);       // control characters leave nothing, and yet have a label
            }
        }
        _starts.Add(_ids.Count);
    }

    /// <summary>The units of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="kind">What a unit is.</param>
    /// <param name="units">Emptied; takes them.</param>
    public static void Cut(ReadOnlySpan<char> text, UnitKind kind, List<TextUnit> units)
    {
        units.Clear();
        var start = -1;                                         // of the run under way
        for (var i = 0; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text[i..], out var rune, out var length);
            var space = Rune.IsWhiteSpace(rune);
            var joins = !space && (kind == UnitKind.Words || Joins(rune));
            if (!joins && start >= 0)
            {
                units.Add(new TextUnit(start, i - start));
                start = -1;
            }
            if (joins && start < 0)
                start = i;
            else if (!joins && !space)
                units.Add(new TextUnit(i, length));
            i += length;
        }
        if (start >= 0)
            units.Add(new TextUnit(start, text.Length - start));
    }

    private static bool Joins(Rune rune) => (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark
        or System.Globalization.UnicodeCategory.SpacingCombiningMark or System.Globalization.UnicodeCategory.EnclosingMark)
        && !Array.Exists(s_withoutSpaces, block => rune.Value >= block.First && rune.Value <= block.Last);

    private ReadOnlySpan<char> Spaced(ReadOnlySpan<char> unit)
    {
        if (_spaced.Length <= unit.Length)
            _spaced = new char[2 * unit.Length + 16];
        _spaced[0] = ' ';
        unit.CopyTo(_spaced.AsSpan(1));
        return _spaced.AsSpan(0, unit.Length + 1);
    }
}
