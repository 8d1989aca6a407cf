using System.Globalization;

namespace Ssl.Estimators.Data;

/// <summary>
/// Cuts a text into words: runs of letters, runs of digits, and every other visible character for itself. White space and control
/// characters separate and are dropped.
/// </summary>
internal ref struct WordSplitter
{
    /// <summary>
    /// A longer run is no word that anybody wrote, or is of a language without spaces: it comes in parts of this length, or, by the rules of
    /// earlier files, as one that is too long.
    /// </summary>
    public const int LongestWord = 100;

    private readonly ReadOnlySpan<char> _text;
    private readonly Span<char> _lower;
    private readonly WordRules _rules;
    private int _position;
    private bool _isCut;

    /// <summary>Starts at the beginning of a text.</summary>
    /// <param name="text">Any text, normalized as the rules say.</param>
    /// <param name="rules">Case, long runs.</param>
    /// <param name="buffer">Scratch of at least <see cref="LongestWord"/> characters.</param>
    public WordSplitter(ReadOnlySpan<char> text, WordRules rules, Span<char> buffer)
    {
        _text = text;
        _rules = rules;
        _lower = buffer;
    }

    /// <summary>The word that <see cref="MoveNext"/> found; valid until the next one.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Whether the word is longer than <see cref="LongestWord"/>; it is then neither cut nor in lower case.</summary>
    public readonly bool IsTooLong => Current.Length > LongestWord;

    /// <summary>Whether the word goes on where the one before it was cut.</summary>
    public bool IsContinuation { get; private set; }

    public bool MoveNext()
    {
        int start = _position;
        (IsContinuation, _isCut) = (_isCut, false);
        while (start < _text.Length && IsSeparator(start))
            start++;
        if (start >= _text.Length)
        {
            _position = start;
            return false;
        }
        // Nearly every word is small ASCII letters from end to end: there is nothing to split and nothing to change.
        int limit = _rules.KeepsAll ? Math.Min(_text.Length, start + LongestWord) : _text.Length;
        int end = start;
        while (end < limit && char.IsAsciiLetterLower(_text[end]))
            end++;
        bool isPlain = end > start && (end == _text.Length || (_text[end] < 128 && !IsLetter(_text[end])));
        _position = isPlain ? end : end = EndOfWord(start, limit);
        Current = isPlain ? _text[start..end] : Normalize(_text[start..end]);
        return true;
    }

    private int EndOfWord(int start, int limit)
    {
        char first = _text[start];
        int end = start + 1;
        if (IsIdeograph(first))
            return end;
        if (IsLetter(first))
        {
            while (end < limit && GoesOn(end))
                end++;
            if (end == limit && end < _text.Length && GoesOn(end))
                return Cut(start, end);
            return end;
        }
        if (char.IsDigit(first))
        {
            while (end < limit && char.IsDigit(_text[end]))
                end++;
            _isCut = end == limit && end < _text.Length && char.IsDigit(_text[end]);
            return end;
        }
        return char.IsHighSurrogate(first) && end < _text.Length && char.IsLowSurrogate(_text[end]) ? end + 1 : end;
    }

    private readonly bool GoesOn(int place)
        => IsLetter(_text[place]) && !IsIdeograph(_text[place]) && !(_rules.SplitCamelCase && IsCamelBoundary(place));

    // A letter keeps its accents.
    private int Cut(int start, int end)
    {
        _isCut = true;
        int cut = end;
        while (cut > start + LongestWord / 2 && IsMark(_text[cut]))
            cut--;
        return IsMark(_text[cut]) ? end : cut;
    }

    // Before the capital in "readAll", and before the last capital in "XMLReader".
    private readonly bool IsCamelBoundary(int position)
        => char.IsUpper(_text[position])
            && (!char.IsUpper(_text[position - 1]) || (position + 1 < _text.Length && char.IsLower(_text[position + 1])));

    private readonly ReadOnlySpan<char> Normalize(ReadOnlySpan<char> word)
    {
        if (!_rules.LowerCase || word.Length > LongestWord)
            return word;
        for (int i = 0; i < word.Length; i++)
        {
            char c = word[i];
            _lower[i] = c < 128 ? (c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c) : char.ToLowerInvariant(c);
        }
        return _lower[..word.Length];
    }

    private readonly bool IsSeparator(int place)
    {
        char c = _text[place];
        return c <= ' ' || (c >= 0x7F && (char.IsWhiteSpace(c) || char.IsControl(c) || c is '\uFFFD' or '\u00AD' or '\u200B' or '\uFEFF'
            || (_rules.KeepsAll && char.IsSurrogate(c) && IsHalf(place))));
    }

    // Half of a surrogate pair is no character: files cannot hold it, and a vocabulary must not.
    private readonly bool IsHalf(int place) => char.IsHighSurrogate(_text[place])
        ? place + 1 == _text.Length || !char.IsLowSurrogate(_text[place + 1])
        : place == 0 || !char.IsHighSurrogate(_text[place - 1]);

    private static bool IsLetter(char c)
        => c < 128 ? (uint)((c | 0x20) - 'a') < 26 : char.IsLetter(c) || IsMark(c);

    private static bool IsMark(char c)
        => c >= 0x300 && char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    // Chinese is written without spaces: every ideograph is a word.
    private static bool IsIdeograph(char c)
        => c is >= '\u3400' and <= '\u4DBF' or >= '\u4E00' and <= '\u9FFF' or >= '\uF900' and <= '\uFAFF';
}
