using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>Cleans a text and cuts it into words as BERT's tokenizers do (BasicTokenizer: Devlin et al., 2019).</summary>
/// <remarks>
/// Control characters are dropped, white space separates, Chinese characters and punctuation are words of their own, letters lose case and
/// accents where the rules say so. As in the tokenizers library: accents are stripped before letters are made small, so that a final sigma
/// is no letter of its own.
/// </remarks>
internal ref struct BertWordSplitter
{
    /// <summary>The most characters (code points) of a word; a longer one is unknown.</summary>
    public const int LongestWord = 100;

    /// <summary>Length of the scratch: a character is up to two UTF-16 units.</summary>
    public const int BufferLength = 2 * LongestWord;

    private readonly ReadOnlySpan<char> _text;
    private readonly BertRules _rules;
    private readonly Span<char> _buffer;
    private int _position;

    /// <summary>Starts at the beginning of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="rules">Case, accents, Chinese.</param>
    /// <param name="buffer">Scratch of <see cref="BufferLength"/>.</param>
    public BertWordSplitter(ReadOnlySpan<char> text, BertRules rules, Span<char> buffer)
    {
        _text = text;
        _rules = rules;
        _buffer = buffer;
    }

    /// <summary>The word that <see cref="MoveNext"/> found; valid until the next one. Cut where <see cref="IsTooLong"/>.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Whether the word is longer than <see cref="LongestWord"/>.</summary>
    public bool IsTooLong { get; private set; }

    public bool MoveNext()
    {
        IsTooLong = false;
        while (_position < _text.Length && _text[_position] == ' ')
            _position++;
        // Nearly every word is small ASCII letters or digits from end to end, with a space or punctuation behind.
        var start = _position;
        var end = start;
        while (end < _text.Length && (char.IsAsciiLetterLower(_text[end]) || char.IsAsciiDigit(_text[end])))
            end++;
        if (end > start && end - start <= LongestWord && (end == _text.Length || IsPlainEnd(_text[end])))
        {
            _position = end;
            Current = _text[start..end];
            return true;
        }
        return MoveNextAny();
    }

    private static bool IsPlainEnd(char c) => c is >= ' ' and < (char)0x7F && !char.IsAsciiLetterOrDigit(c);

    private bool MoveNextAny()
    {
        Span<Rune> parts = stackalloc Rune[4];
        int length = 0, count = 0;
        while (_position < _text.Length)
        {
            if (Rune.DecodeFromUtf16(_text[_position..], out var rune, out var used) != System.Buffers.OperationStatus.Done
                || BertCharacters.IsDropped(rune))
            {
                _position += used;
                continue;
            }
            if (BertCharacters.IsSpace(rune))
            {
                if (count > 0)
                    break;
                _position += used;
                continue;
            }
            var isChinese = _rules.SplitChinese && BertCharacters.IsChinese(rune);
            var number = BertCharacters.Normalize(rune, _rules, parts);
            var isAlone = isChinese || (number > 0 && BertCharacters.IsPunctuation(parts[0]));
            if (isAlone && count > 0)
                break;
            _position += used;
            foreach (var part in parts[..number])
            {
                if (count++ < LongestWord)
                    length += part.EncodeToUtf16(_buffer[length..]);
            }
            if (isAlone)
                break;
        }
        IsTooLong = count > LongestWord;
        Current = _buffer[..length];
        return count > 0;
    }
}
