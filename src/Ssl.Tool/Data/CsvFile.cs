using Sylvan.Data.Csv;

namespace Ssl.Tool.Data;

/// <summary>Fields between separators, as RFC 4180 has them: a field in quotes may hold separators, line ends and doubled quotes.</summary>
internal sealed class CsvFile : RowFile
{
    private const int MostCharactersOfRow = 1 << 26;

    private readonly FileSettings _settings;
    private readonly char _separator;

    public CsvFile(string path, FileSettings settings, char separator) : base(path)
    {
        (_settings, _separator) = (settings, settings.Separator ?? separator);
        Columns = FindColumns();
    }

    public override IReadOnlyList<FileColumn> Columns { get; }

    public override IEnumerable<Cell[]> Read()
    {
        using var reader = Open();
        var row = new Cell[Columns.Count];
        while (Next(reader))
        {
            for (var i = 0; i < row.Length; i++)
            {
                if (Columns[i].Kind == CellKind.Text)
                    row[i].Text = reader.GetString(i);
                else if (!TryNumber(reader.GetFieldSpan(i), out row[i].Number))
                    throw NoNumber(Columns[i].Name, reader.GetString(i), $"row {reader.RowNumber}");
            }
            yield return row;
        }
    }

    // A column whose every value is a number holds numbers: the whole file is looked at, so that no row is a surprise.
    private FileColumn[] FindColumns()
    {
        using var reader = Open();
        string[] names = [.. Enumerable.Range(0, reader.FieldCount).Select(i => _settings.HasHeader ? reader.GetName(i).Trim() : $"C{i}")];
        if (names.Length == 0)
            throw new FormatException($"{Path} is empty.");
        if (names.Index().FirstOrDefault(name => name.Item.Length == 0) is { Item: not null } unnamed)
            throw new FormatException($"{Path}: column {unnamed.Index + 1} has no name in the first line. Name it, or say \"header\": false.");
        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1)?.Key is { } twice)
            throw new FormatException($"{Path}: the first line has '{twice}' twice. Name the columns differently, or say \"header\": false.");
        var numbers = Array.ConvertAll(names, name => _settings.KindOf(name) is null);
        var filled = new bool[names.Length];
        if (numbers.Any(open => open))
        {
            while (Next(reader))
            {
                for (var i = 0; i < names.Length; i++)
                {
                    if (!numbers[i])
                        continue;
                    var field = reader.GetFieldSpan(i);
                    numbers[i] = TryNumber(field, out _);
                    filled[i] |= !field.IsWhiteSpace();
                }
            }
        }
        return [.. names.Select((name, i) => new FileColumn(name, _settings.KindOf(name) ?? (numbers[i] && filled[i] ? CellKind.Number : CellKind.Text)))];
    }

    private CsvDataReader Open() => CsvDataReader.Create(Path, new CsvDataReaderOptions
    {
        HasHeaders = _settings.HasHeader,
        Delimiter = _separator,
        MaxBufferSize = MostCharactersOfRow,
        BufferSize = 1 << 16,
    });

    private bool Next(CsvDataReader reader)
    {
        try
        {
            if (!reader.Read())
                return false;
        }
        catch (Exception e) when (e is CsvFormatException or CsvRecordTooLargeException)
        {
            throw new FormatException($"{Path}, after row {reader.RowNumber}: {e.Message}", e);
        }
        if (reader.RowFieldCount != reader.FieldCount)
        {
            throw new FormatException($"{Path}, row {reader.RowNumber} has {reader.RowFieldCount} fields, the first line {reader.FieldCount}. Put fields with separators or line "
                + "ends into double quotes, or say which \"separator\" the file has.");
        }
        return true;
    }
}
