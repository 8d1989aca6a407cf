using System.Globalization;

namespace Ssl.Tool.Data;

/// <summary>What a column of a file holds: numbers (a missing one is NaN), texts (a missing one is empty), or vectors of numbers.</summary>
internal enum CellKind
{
    Number,
    Text,
    Vector,
}

/// <summary>A column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Length">Of vectors, where all have the same; else 0.</param>
internal sealed record FileColumn(string Name, CellKind Kind, int Length = 0);

/// <summary>A value of a row, in the field of its column's kind.</summary>
internal struct Cell
{
    public float Number;
    public string Text;
    public float[] Vector;
}

/// <summary>A file of rows. It is read as often as it is asked, from the first row on; memory holds some rows at a time.</summary>
internal abstract class RowFile(string path)
{
    /// <summary>Names of the formats, by which a configuration or <c>--format</c> says them.</summary>
    public static readonly string[] Formats = ["csv", "tsv", "jsonl", "parquet", "text"];

    public string Path { get; } = path;

    /// <summary>The columns, in the order of the file.</summary>
    public abstract IReadOnlyList<FileColumn> Columns { get; }

    /// <summary>Columns of the file that no row can have, and why: "objects".</summary>
    public virtual IReadOnlyDictionary<string, string> LeftOut { get; } = new Dictionary<string, string>();

    /// <summary>The rows; the array is filled anew for each.</summary>
    public abstract IEnumerable<Cell[]> Read();

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="settings">How it is read.</param>
    /// <exception cref="FormatException">The file is not of its format; the message names the line.</exception>
    public static RowFile Open(string path, FileSettings settings)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"There is no file '{path}' ({System.IO.Path.GetFullPath(path)}).", path);
        return (settings.Format ?? FormatOf(path)) switch
        {
            "csv" => new CsvFile(path, settings, ','),
            "tsv" => new CsvFile(path, settings, '\t'),
            "jsonl" => new JsonLinesFile(path, settings),
            "parquet" => new ParquetFile(path, settings),
            _ => new TextFile(path),
        };
    }

    /// <summary>The format that a file's ending says.</summary>
    public static string FormatOf(string path) => System.IO.Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".CSV" => "csv",
        ".TSV" or ".TAB" => "tsv",
        ".JSONL" or ".NDJSON" => "jsonl",
        ".PARQUET" or ".PQ" => "parquet",
        ".TXT" => "text",
        var other => throw new UsageException($"The ending \"{other.ToLowerInvariant()}\" of '{path}' says no format: set \"format\" (--format) to one of {string.Join(", ", Formats)}."),
    };

    /// <summary>A number as files write it; an empty text is a missing one.</summary>
    protected static bool TryNumber(ReadOnlySpan<char> text, out float number)
    {
        text = text.Trim();
        if (text.IsEmpty)
        {
            number = float.NaN;
            return true;
        }
        return float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>A column's kind was told, and a row has something else.</summary>
    protected FormatException NoNumber(string column, string text, string where)
        => new($"{Path}, {where}: '{text}' in column '{column}' is no number, which this column holds elsewhere. Repair the row, or say \"types\": {{ \"{column}\": \"text\" }}.");
}

/// <summary>How a file is read.</summary>
/// <param name="Format">One of <see cref="RowFile.Formats"/>; null where the ending says it.</param>
/// <param name="Separator">Between the fields of csv; null for the format's own.</param>
/// <param name="HasHeader">Whether the first line of csv names the columns; else they are C0, C1, ....</param>
/// <param name="Kinds">Kinds of columns that are known, by name; others are found in the file.</param>
internal sealed record FileSettings(string? Format = null, char? Separator = null, bool HasHeader = true, IReadOnlyDictionary<string, CellKind>? Kinds = null)
{
    /// <summary>The kind that is known, or null.</summary>
    public CellKind? KindOf(string column) => Kinds is not null && Kinds.TryGetValue(column, out var kind) ? kind : null;
}

/// <summary>A text a line; empty lines are passed over.</summary>
internal sealed class TextFile(string path) : RowFile(path)
{
    public override IReadOnlyList<FileColumn> Columns { get; } = [new("Text", CellKind.Text)];

    public override IEnumerable<Cell[]> Read()
    {
        var row = new Cell[1];
        foreach (var line in File.ReadLines(Path))
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            row[0].Text = line;
            yield return row;
        }
    }
}
