using System.Text;

namespace Ssl.Estimators.Data;

/// <summary>Brings a text to one of Unicode's normalization forms, without invisible characters (Unicode Standard Annex #15).</summary>
internal sealed class TextNormalizer
{
    // A text is normalized in parts of about so many units, so that of a long one no more is than is read.
    private const int UnitsAtOnce = 1024;

    // A buffer that one huge text made large is not kept.
    private const int MostKept = 1 << 16;

    // Beyond so many accents behind each other, which nobody writes, they are sorted otherwise.
    private const int FewAccents = 32;

    [ThreadStatic]
    private static TextNormalizer? t_own;

    private readonly List<int> _codes = [];
    private char[] _result = new char[2 * UnitsAtOnce];
    private int _length;

    /// <summary>The normalized text; valid until this thread normalizes another.</summary>
    public static ReadOnlySpan<char> Normalize(ReadOnlySpan<char> text, TextNormalization form)
    {
        if (form == TextNormalization.None || Ascii.IsValid(text))
            return text;
        var tables = NormalizationTables.Instance;
        var place = NextThatChanges(text, 0, tables, form);
        return place < 0 ? text : (t_own ??= new TextNormalizer()).Rewrite(text, place, tables, form);
    }

    /// <summary>How much of a text may be normalized without what follows: up to a space, where nothing joins.</summary>
    /// <returns>At least 1 for a text that is not empty.</returns>
    public static int LengthOfPart(ReadOnlySpan<char> text)
    {
        if (text.Length <= UnitsAtOnce)
            return text.Length;
        var space = text[UnitsAtOnce..].IndexOf(' ');
        return space < 0 ? text.Length : UnitsAtOnce + space + 1;
    }

    private static int NextThatChanges(ReadOnlySpan<char> text, int start, NormalizationTables tables, TextNormalization form)
    {
        var units = tables.UnitsThatChange(form);
        for (var i = start; i < text.Length; i++)
        {
            if (!units[text[i]])
                continue;
            if (!char.IsSurrogate(text[i]))
                return i;
            var code = CodeAt(text, i, out var used);
            if (used == 1 || tables.Changes(code, form))
                return i;
            i++;
        }
        return -1;
    }

    // A half of a surrogate pair is U+FFFD, which stands for what cannot be read.
    private static int CodeAt(ReadOnlySpan<char> text, int place, out int used)
    {
        Rune.DecodeFromUtf16(text[place..], out var rune, out used);
        return rune.Value;
    }

    private ReadOnlySpan<char> Rewrite(ReadOnlySpan<char> text, int place, NormalizationTables tables, TextNormalization form)
    {
        if (_result.Length > MostKept)
            _result = new char[2 * UnitsAtOnce];
        _length = 0;
        var done = 0;
        while (place >= 0)
        {
            // What changes may join the character before it.
            var start = place > done ? place - 1 : place;
            if (start < place && start > done && char.IsLowSurrogate(text[start]) && char.IsHighSurrogate(text[start - 1]))
                start--;
            Append(text[done..start]);
            _codes.Clear();
            for (done = start; done < text.Length;)
            {
                var code = CodeAt(text, done, out var used);
                var isHalf = used == 1 && char.IsSurrogate(text[done]);
                if (done >= place && !isHalf && !tables.Changes(code, form))
                    break;
                tables.Decompose(code, form, _codes);
                done += used;
            }
            Sort(tables);
            Compose(tables);
            place = NextThatChanges(text, done, tables, form);
        }
        Append(text[done..]);
        return _result.AsSpan(0, _length);
    }

    // Accents behind each other by their class, those of one class in their order.
    private void Sort(NormalizationTables tables)
    {
        for (var start = 0; start < _codes.Count; start++)
        {
            var end = start;
            while (end < _codes.Count && tables.ClassOf(_codes[end]) > 0)
                end++;
            if (end - start > FewAccents)
            {
                int[] sorted = [.. _codes.GetRange(start, end - start).OrderBy(code => tables.ClassOf(code))];
                for (var i = 0; i < sorted.Length; i++)
                    _codes[start + i] = sorted[i];
            }
            else
            {
                for (var i = start + 1; i < end; i++)
                {
                    for (var j = i; j > start && tables.ClassOf(_codes[j - 1]) > tables.ClassOf(_codes[j]); j--)
                        (_codes[j - 1], _codes[j]) = (_codes[j], _codes[j - 1]);
                }
            }
            start = end;
        }
    }

    // A character joins the last letter where nothing of the same or a higher class stands between.
    private void Compose(NormalizationTables tables)
    {
        var (letter, last, kept) = (-1, 0, 0);
        for (var i = 0; i < _codes.Count; i++)
        {
            var (code, combining) = (_codes[i], tables.ClassOf(_codes[i]));
            if (letter >= 0 && (kept == letter + 1 || (last > 0 && last < combining)) && tables.Compose(_codes[letter], code) is >= 0 and var composed)
            {
                _codes[letter] = composed;
                continue;
            }
            if (combining == 0)
                letter = kept;
            last = combining;
            _codes[kept++] = code;
        }
        Span<char> units = stackalloc char[2];
        for (var i = 0; i < kept; i++)
            Append(units[..new Rune(_codes[i]).EncodeToUtf16(units)]);
    }

    private void Append(ReadOnlySpan<char> units)
    {
        if (_length + units.Length > _result.Length)
            Array.Resize(ref _result, Math.Max(2 * _result.Length, _length + units.Length));
        units.CopyTo(_result.AsSpan(_length));
        _length += units.Length;
    }
}
