using System.Text.Json;

namespace Ssl.Tool.Data;

/// <summary>A JSON object a line: numbers, texts, true and false as texts, arrays of numbers as vectors.</summary>
internal sealed class JsonLinesFile : RowFile
{
    private readonly Dictionary<string, string> _leftOut = [];

    public JsonLinesFile(string path, FileSettings settings) : base(path) => Columns = FindColumns(settings);

    public override IReadOnlyList<FileColumn> Columns { get; }

    public override IReadOnlyDictionary<string, string> LeftOut => _leftOut;

    public override IEnumerable<Cell[]> Read()
    {
        var row = new Cell[Columns.Count];
        foreach (var (line, root) in Objects())
        {
            for (var i = 0; i < row.Length; i++)
                row[i] = CellOf(root, Columns[i], line);
            yield return row;
        }
    }

    private Cell CellOf(JsonElement root, FileColumn column, int line)
    {
        var found = root.TryGetProperty(column.Name, out var value) && value.ValueKind != JsonValueKind.Null;
        return column.Kind switch
        {
            CellKind.Text => new Cell { Text = found ? Text(value) : "" },
            CellKind.Number => new Cell { Number = !found ? float.NaN : TryNumber(value, out var number) ? number : throw NoNumber(column.Name, value.ToString(), $"line {line}") },
            _ => new Cell { Vector = found ? Numbers(value, column.Name, line) : [] },
        };
    }

    private FileColumn[] FindColumns(FileSettings settings)
    {
        var kinds = new Dictionary<string, CellKind>();
        var lengths = new Dictionary<string, int>();
        var (names, rows, counts) = (new List<string>(), 0, new Dictionary<string, int>());
        foreach (var (_, root) in Objects())
        {
            rows++;
            foreach (var property in root.EnumerateObject())
            {
                if (!counts.ContainsKey(property.Name))
                    names.Add(property.Name);
                counts[property.Name] = counts.GetValueOrDefault(property.Name) + 1;
                if (property.Value.ValueKind == JsonValueKind.Null || _leftOut.ContainsKey(property.Name))
                    continue;
                if (KindOf(property.Value) is not { } kind)
                {
                    _leftOut[property.Name] = property.Value.ValueKind == JsonValueKind.Object ? "objects" : "arrays of other than numbers";
                    continue;
                }
                if (kind == CellKind.Vector)
                {
                    var length = property.Value.GetArrayLength();
                    lengths[property.Name] = lengths.TryGetValue(property.Name, out var other) && other != length ? -1 : length;
                }
                // Numbers among texts are texts.
                if (!kinds.TryGetValue(property.Name, out var known))
                    kinds[property.Name] = kind;
                else if (known != kind && (known == CellKind.Vector || kind == CellKind.Vector))
                    _leftOut[property.Name] = "arrays in some lines and single values in others";
                else if (known != kind)
                    kinds[property.Name] = CellKind.Text;
            }
        }
        if (rows == 0)
            throw new FormatException($"{Path} is empty.");
        return [.. names.Where(name => !_leftOut.ContainsKey(name)).Select(name =>
        {
            var kind = settings.KindOf(name) ?? kinds.GetValueOrDefault(name, CellKind.Text);
            return new FileColumn(name, kind, kind == CellKind.Vector && counts[name] == rows ? Math.Max(0, lengths.GetValueOrDefault(name)) : 0);
        })];
    }

    private IEnumerable<(int Line, JsonElement Root)> Objects()
    {
        var number = 0;
        foreach (var line in File.ReadLines(Path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            JsonDocument document;
            try
            {
                document = JsonDocument.Parse(line);
            }
            catch (JsonException e)
            {
                throw new FormatException($"{Path}, line {number} is no JSON: {e.Message}", e);
            }
            using (document)
            {
                if (document.RootElement.ValueKind != JsonValueKind.Object)
                    throw new FormatException($"{Path}, line {number} must be an object, such as {{\"Text\": \"...\"}}.");
                yield return (number, document.RootElement);
            }
        }
    }

    private static CellKind? KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => CellKind.Number,
        JsonValueKind.String or JsonValueKind.True or JsonValueKind.False => CellKind.Text,
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind is JsonValueKind.Number or JsonValueKind.Null) => CellKind.Vector,
        _ => null,
    };

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    private static bool TryNumber(JsonElement value, out float number)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            number = (float)value.GetDouble();
            return true;
        }
        number = float.NaN;
        return value.ValueKind == JsonValueKind.String && TryNumber(value.GetString(), out number);
    }

    private float[] Numbers(JsonElement value, string column, int line)
        => value.ValueKind != JsonValueKind.Array ? throw new FormatException($"{Path}, line {line}: column '{column}' holds arrays elsewhere, and '{value}' here.")
            : [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Null ? float.NaN : (float)item.GetDouble())];
}
