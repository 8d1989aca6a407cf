using System.Text;
using System.Text.RegularExpressions;

namespace Quickstart;

/// <summary>
/// The user's own text: a folder of .txt files, or one .csv/.tsv file with named columns. A text that has no partner is cut in two
/// neighboring parts: parts of one text belong together, parts of different texts do not.
/// </summary>
public static partial class UserText
{
    private const int ShortestText = 20;
    private const int SentencesAPart = 2;

    /// <summary>Reads a folder or a file.</summary>
    /// <param name="path">A folder of .txt files, or a .csv/.tsv file.</param>
    /// <param name="columns">Names of the columns in a file: the text, its partner, a label. Only the first is needed.</param>
    public static IEnumerable<Document> Read(string path, IReadOnlyList<string> columns)
    {
        if (Directory.Exists(path))
            return ReadFolder(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"--data: there is no folder or file '{path}'.");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => ReadTable(path, ',', columns),
            ".tsv" => ReadTable(path, '\t', columns),
            ".txt" => ReadFile(path),
            var other => throw new InvalidDataException($"--data: expected a folder, .txt, .csv or .tsv, got '{other}'."),
        };
    }

    private static IEnumerable<Document> ReadFolder(string folder)
    {
        var files = Directory.GetFiles(folder, "*.txt", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        if (files.Length == 0)
            throw new InvalidDataException($"--data: the folder '{folder}' has no .txt files.");
        return files.SelectMany(ReadFile);
    }

    /// <summary>Paragraphs end at an empty line; neighboring groups of sentences of a paragraph are a pair.</summary>
    private static IEnumerable<Document> ReadFile(string file)
    {
        var number = 0;
        foreach (var paragraph in EmptyLine().Split(File.ReadAllText(file)))
        {
            number++;
            var sentences = SentenceEnd().Split(WhiteSpace().Replace(paragraph, " ").Trim());
            var parts = sentences.Chunk(SentencesAPart).Select(chunk => string.Join(' ', chunk)).ToArray();
            if (parts.Length == 1 && Halve(parts[0]) is { } halves)
                parts = halves;
            for (var i = 0; i + 1 < parts.Length; i += 2)
                if (parts[i].Length >= ShortestText && parts[i + 1].Length >= ShortestText)
                    yield return new Document($"{Path.GetFileName(file)}, paragraph {number}", "", parts[i], parts[i + 1]);
        }
    }

    private static IEnumerable<Document> ReadTable(string path, char separator, IReadOnlyList<string> columns)
    {
        using var rows = ReadRows(path, separator).GetEnumerator();
        if (!rows.MoveNext())
            throw new InvalidDataException($"--data: '{path}' is empty; its first line must name the columns.");
        var header = rows.Current;
        if (columns.Count is 0 or > 3)
            throw new InvalidDataException($"--columns TEXT[,PAIR[,LABEL]] must name one to three columns of '{path}', which has: {string.Join(", ", header)}.");
        var places = columns.Select(name => header.IndexOf(name)).ToArray();
        for (var i = 0; i < places.Length; i++)
            if (places[i] < 0)
                throw new InvalidDataException($"--columns: '{path}' has no column '{columns[i]}'; it has: {string.Join(", ", header)}.");
        var number = 1;
        while (rows.MoveNext())
        {
            number++;
            var row = rows.Current;
            string Cell(int i) => i < places.Length && places[i] < row.Count ? row[places[i]].Trim() : "";
            string[]? pair = columns.Count > 1 ? [Cell(0), Cell(1)] : Halve(Cell(0));
            if (pair is not null && pair[0].Length >= ShortestText && pair[1].Length >= ShortestText)
                yield return new Document($"row {number}", Cell(2), pair[0], pair[1]);
        }
    }

    /// <summary>The first and the second half of the words; null for a text of fewer than eight words.</summary>
    private static string[]? Halve(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length < 8 ? null : [string.Join(' ', words[..(words.Length / 2)]), string.Join(' ', words[(words.Length / 2)..])];
    }

    /// <summary>Rows of a separated file; a quoted cell may hold separators, line ends and doubled quotes.</summary>
    private static IEnumerable<List<string>> ReadRows(string path, char separator)
    {
        using var reader = new StreamReader(path);
        var row = new List<string>();
        var cell = new StringBuilder();
        var quoted = false;
        for (int next; (next = reader.Read()) >= 0;)
        {
            var c = (char)next;
            if (quoted)
            {
                if (c != '"')
                    cell.Append(c);
                else if (reader.Peek() == '"')
                    cell.Append((char)reader.Read());
                else
                    quoted = false;
            }
            else if (c == '"' && cell.Length == 0)
                quoted = true;
            else if (c == separator || c == '\n')
            {
                row.Add(cell.ToString().TrimEnd('\r'));
                cell.Clear();
                if (c != '\n')
                    continue;
                yield return row;
                row = [];
            }
            else
                cell.Append(c);
        }
        if (cell.Length > 0 || row.Count > 0)
        {
            row.Add(cell.ToString());
            yield return row;
        }
    }

    [GeneratedRegex(@"\r?\n\s*\r?\n")]
    private static partial Regex EmptyLine();

    [GeneratedRegex(@"(?<=[.!?])\s+")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
