using System.Globalization;

namespace Ssl.Estimators.Data;

/// <summary>
/// Cuts a text into words: runs of letters, runs of digits, and every other visible character for itself. White space and control
/// characters separate and are dropped.
/// </summary>
internal ref struct WordSplitter
{
    /// <summary>A longer run is no word that anybody wrote; the tokenizer gives it the unknown token.</summary>
    public const int LongestWord = 100;

    private readonly ReadOnlySpan<char> _text;
    private readonly Span<char> _lower;
    private readonly bool _lowerCase;
    private readonly bool _splitCamelCase;
    private int _position;

    /// <summary>Starts at the beginning of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="lowerCase">Whether words come in lower case.</param>
    /// <param name="splitCamelCase">Whether "ReadAllLines" is three words, and "XmlReader" and "XMLReader" two.</param>
    /// <param name="buffer">Scratch of at least <see cref="LongestWord"/> characters; used with <paramref name="lowerCase"/>.</param>
    public WordSplitter(ReadOnlySpan<char> text, bool lowerCase, bool splitCamelCase, Span<char> buffer)
    {
        _text = text;
        _lowerCase = lowerCase;
        _splitCamelCase = splitCamelCase;
        _lower = buffer;
    }

    /// <summary>The word that <see cref="MoveNext"/> found; valid until the next one.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Whether the word is longer than <see cref="LongestWord"/>; it is then neither cut nor in lower case.</summary>
    public readonly bool IsTooLong => Current.Length > LongestWord;

    public bool MoveNext()
    {
        int start = _position;
        while (start < _text.Length && IsSeparator(_text[start]))
            start++;
        if (start >= _text.Length)
        {
            _position = start;
            return false;
        }
        // Nearly every word is small ASCII letters from end to end: there is nothing to split and nothing to change.
        int end = start;
        while (end < _text.Length && char.IsAsciiLetterLower(_text[end]))
            end++;
        bool isPlain = end > start && (end == _text.Length || (_text[end] < 128 && !IsLetter(_text[end])));
        _position = isPlain ? end : end = EndOfWord(start);
        Current = isPlain ? _text[start..end] : Normalize(_text[start..end]);
        return true;
    }

    private readonly int EndOfWord(int start)
    {
        char first = _text[start];
        int end = start + 1;
        if (IsIdeograph(first))
            return end;
        if (IsLetter(first))
        {
            while (end < _text.Length && IsLetter(_text[end]) && !IsIdeograph(_text[end]) && !(_splitCamelCase && IsCamelBoundary(end)))
                end++;
            return end;
        }
        if (char.IsDigit(first))
        {
            while (end < _text.Length && char.IsDigit(_text[end]))
                end++;
            return end;
        }
        return char.IsHighSurrogate(first) && end < _text.Length && char.IsLowSurrogate(_text[end]) ? end + 1 : end;
    }

    // Before the capital in "readAll", and before the last capital in "XMLReader".
    private readonly bool IsCamelBoundary(int position)
        => char.IsUpper(_text[position])
            && (!char.IsUpper(_text[position - 1]) || (position + 1 < _text.Length && char.IsLower(_text[position + 1])));

    private readonly ReadOnlySpan<char> Normalize(ReadOnlySpan<char> word)
    {
        if (!_lowerCase || word.Length > LongestWord)
            return word;
        for (int i = 0; i < word.Length; i++)
        {
            char c = word[i];
            _lower[i] = c < 128 ? (c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c) : char.ToLowerInvariant(c);
        }
        return _lower[..word.Length];
    }

    private static bool IsSeparator(char c)
        => c <= ' ' || (c >= 0x7F && (char.IsWhiteSpace(c) || char.IsControl(c) || c is '\uFFFD' or '\u00AD' or '\u200B' or '\uFEFF'));

    private static bool IsLetter(char c)
        => c < 128 ? (uint)((c | 0x20) - 'a') < 26 : char.IsLetter(c) || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark
            or UnicodeCategory.SpacingCombiningMark;

    // Chinese is written without spaces: every ideograph is a word.
    private static bool IsIdeograph(char c)
        => c is >= '\u3400' and <= '\u4DBF' or >= '\u4E00' and <= '\u9FFF' or >= '\uF900' and <= '\uFAFF';
}
