using System.Text;

namespace Microsoft.ML.Data;

/// <summary>Cuts lines into fields.</summary>
internal sealed class TextLineParser
{
    private readonly TextLoader.Options _options;
    private readonly char[] _separators;

    public TextLineParser(TextLoader.Options options)
    {
        _options = options;
        _separators = options.Separators is { Length: > 0 } separators ? separators : ['\t'];
    }

    /// <summary>The logical lines of a reader with the number of their first physical line, from 1.</summary>
    public IEnumerable<(int Number, string Text)> Lines(TextReader reader)
    {
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            var first = number;
            if (_options.ReadMultilines && _options.AllowQuoting)
            {
                while (EndsInsideQuotes(line) && reader.ReadLine() is { } more)
                {
                    line += "\n" + more;
                    number++;
                }
            }

            yield return (first, _options.TrimWhitespace ? line.TrimEnd() : line);
        }
    }

    /// <summary>The fields of a line. <paramref name="illegal"/> is told from which to which character quoting is wrong.</summary>
    public List<ReadOnlyMemory<char>> Split(string line, Action<int, int> illegal)
    {
        var fields = new List<ReadOnlyMemory<char>>();
        for (var at = 0; ;)
        {
            // Blanks before a field never count, unless they separate.
            while (at < line.Length && line[at] == ' ' && !IsSeparator(' '))
            {
                at++;
            }

            if (_options.AllowQuoting && at < line.Length && line[at] == '"')
            {
                fields.Add(Quoted(line, ref at, illegal));
            }
            else
            {
                var end = line.AsSpan(at).IndexOfAny(_separators);
                end = end < 0 ? line.Length : at + end;
                fields.Add(line.AsMemory(at, end - at));
                at = end;
            }

            if (at >= line.Length)
            {
                break;
            }

            at++;
        }

        return _options.AllowSparse ? Expand(fields) : fields;
    }

    private ReadOnlyMemory<char> Quoted(string line, ref int at, Action<int, int> illegal)
    {
        var start = at++;
        StringBuilder unescaped = null;
        var from = at;
        for (; ; at++)
        {
            if (at >= line.Length)
            {
                illegal?.Invoke(start + 1, line.Length + 1);
                return default;
            }

            var isEscape = line[at] == _options.EscapeChar && at + 1 < line.Length && line[at + 1] == '"';
            if (isEscape)
            {
                (unescaped ??= new StringBuilder()).Append(line, from, at - from).Append('"');
                at++;
                from = at + 1;
            }
            else if (line[at] == '"')
            {
                break;
            }
        }

        var text = unescaped == null ? line.AsMemory(from, at - from) : unescaped.Append(line, from, at - from).ToString().AsMemory();
        at++;
        while (at < line.Length && line[at] == ' ' && !IsSeparator(' '))
        {
            at++;
        }

        if (at < line.Length && !IsSeparator(line[at]))
        {
            var end = line.AsSpan(at).IndexOfAny(_separators);
            at = end < 0 ? line.Length : at + end;
            illegal?.Invoke(start + 1, at + 1);
            return default;
        }

        return text;
    }

    // "size index:value index:value" stands for size fields.
    private static List<ReadOnlyMemory<char>> Expand(List<ReadOnlyMemory<char>> fields)
    {
        var first = fields.FindIndex(field => TrySparse(field, out _, out _));
        if (first < 1 || !int.TryParse(fields[first - 1].Span, out var size))
        {
            return fields;
        }

        var result = fields.Take(first - 1).ToList();
        var dense = new ReadOnlyMemory<char>[size];
        var next = first;
        for (; next < fields.Count && TrySparse(fields[next], out var index, out var value) && index < size; next++)
        {
            dense[index] = value;
        }

        result.AddRange(dense);
        result.AddRange(fields.Skip(next));
        return result;
    }

    private static bool TrySparse(ReadOnlyMemory<char> field, out int index, out ReadOnlyMemory<char> value)
    {
        var colon = field.Span.IndexOf(':');
        value = colon < 0 ? default : field[(colon + 1)..];
        index = -1;
        return colon > 0 && int.TryParse(field.Span[..colon], out index) && index >= 0;
    }

    private bool IsSeparator(char value) => Array.IndexOf(_separators, value) >= 0;

    private static bool EndsInsideQuotes(string line) => line.Count(character => character == '"') % 2 == 1;
}
