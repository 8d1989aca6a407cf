using System.Globalization;
using System.IO.Compression;
using Microsoft.Data.Analysis;

namespace Ssl.Bench;

/// <summary>A public table: its columns as a frame, and the class of every row.</summary>
/// <param name="Columns">Names of the input columns.</param>
/// <param name="Training">Rows to learn from; the frame has the columns and "Class", the number of the row's class.</param>
/// <param name="Test">Rows to measure on.</param>
/// <param name="Classes">Number of classes.</param>
public sealed record BenchTable(string[] Columns, DataFrame Training, DataFrame Test, int Classes)
{
    /// <summary>Name of the column with the number of the class.</summary>
    public const string Class = "Class";

    /// <summary>The classes of rows.</summary>
    public static int[] ClassesOf(DataFrame frame)
    {
        var column = (PrimitiveDataFrameColumn<int>)frame[Class];
        return [.. Enumerable.Range(0, (int)column.Length).Select(i => column[i]!.Value)];
    }

    /// <summary>Some rows of a frame.</summary>
    public static DataFrame Rows(DataFrame frame, IReadOnlyList<int> rows)
        => new([.. frame.Columns.Select(column => (DataFrameColumn)(column switch
    {
        PrimitiveDataFrameColumn<float> numbers => new PrimitiveDataFrameColumn<float>(column.Name, rows.Select(row => numbers[row])),
        PrimitiveDataFrameColumn<int> classes => new PrimitiveDataFrameColumn<int>(column.Name, rows.Select(row => classes[row])),
        StringDataFrameColumn texts => new StringDataFrameColumn(column.Name, rows.Select(row => texts[row])),
        _ => throw new ArgumentException($"Column {column.Name} has another type."),
    }))]);

    /// <summary>Reads a table of the folder <c>tabular</c>: its own split, or the first 80 % to learn from.</summary>
    /// <exception cref="BenchUnavailableException">SSL_DATA does not name the data.</exception>
    public static BenchTable Read(string name)
    {
        var folder = Path.Combine(DataFolder("tabular"), name);
        string[] kinds = [.. File.ReadLines(Path.Combine(folder, "columns.tsv")).Skip(1).Select(line => line.Split('\t')[1])];
        List<string[]> training, test;
        string[] header;
        if (File.Exists(Path.Combine(folder, "train.csv.gz")))
        {
            (header, training) = Csv(Path.Combine(folder, "train.csv.gz"));
            test = Csv(Path.Combine(folder, "test.csv.gz")).Rows;
        }
        else
        {
            (header, var all) = Csv(Path.Combine(folder, "data.csv.gz"));
            var count = all.Count * 4 / 5;
            (training, test) = (all[..count], all[count..]);
        }
        static string Label(string[] row) => row[^1].TrimEnd('.');
        string[] classes = [.. training.Select(Label).Distinct().Order(StringComparer.Ordinal)];
        DataFrame Frame(List<string[]> rows)
        {
            var columns = new List<DataFrameColumn>();
            for (var i = 0; i < header.Length - 1; i++)
            {
                var place = i;
                columns.Add(kinds[i] == "numeric"
                    ? new PrimitiveDataFrameColumn<float>(header[i], rows.Select(row => Number(row[place])))
                    : new StringDataFrameColumn(header[i], rows.Select(row => row[place])));
            }
            columns.Add(new PrimitiveDataFrameColumn<int>(Class, rows.Select(row => Array.IndexOf(classes, Label(row)))));
            return new DataFrame(columns);
        }
        return new BenchTable(header[..^1], Frame(training), Frame(test), classes.Length);
    }

    /// <summary>Reads a set of the folder <c>anomaly</c>: numbers, and whether a row is an anomaly.</summary>
    /// <exception cref="BenchUnavailableException">SSL_DATA does not name the data.</exception>
    public static (float[][] Rows, bool[] Anomalies) ReadAnomaly(string name)
    {
        var rows = Csv(Path.Combine(DataFolder("anomaly"), $"{name}.csv.gz")).Rows;
        return ([.. rows.Select(row => row[..^1].Select(cell => Number(cell) ?? float.NaN).ToArray())],
            [.. rows.Select(row => Number(row[^1]) > 0)]);
    }

    private static float? Number(string text) => text is "" or "?" ? null : float.Parse(text, CultureInfo.InvariantCulture);

    private static string DataFolder(string name)
    {
        var root = Environment.GetEnvironmentVariable("SSL_DATA");
        var folder = root is null ? null : Path.Combine(root, name);
        return Directory.Exists(folder) ? folder
            : throw new BenchUnavailableException($"SSL_DATA must name a folder with the data sets ('{name}' in it).");
    }

    private static (string[] Header, List<string[]> Rows) Csv(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var rows = new List<string[]>();
        while (reader.ReadLine() is { } line)
            rows.Add([.. Cells(line).Select(cell => cell.Trim())]);
        return (rows[0], rows[1..]);
    }

    private static IEnumerable<string> Cells(string line)
    {
        if (!line.Contains('"', StringComparison.Ordinal))
            return line.Split(',');
        var cells = new List<string> { "" };
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"')
                quoted = !quoted;
            else if (c == ',' && !quoted)
                cells.Add("");
            else
                cells[^1] += c;
        }
        return cells;
    }
}
