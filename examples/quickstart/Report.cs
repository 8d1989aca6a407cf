using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quickstart;

/// <summary>Named figures of a run: the closing table, and results.json.</summary>
public sealed class Report
{
    private readonly List<Row> _rows = [];

    private sealed record Row(string Name, double Value, string Unit, double? Spread);

    /// <summary>Adds a figure.</summary>
    /// <param name="name">For instance "recall@1/pretrained".</param>
    /// <param name="value">The figure.</param>
    /// <param name="unit">"share" or "s".</param>
    /// <param name="spread">Standard deviation over repeated draws, where there are several.</param>
    public void Add(string name, double value, string unit, double? spread = null) => _rows.Add(new Row(name, value, unit, spread));

    /// <summary>Prints the figures that have several versions of one thing side by side, then the others.</summary>
    public void Print()
    {
        string[] sides = ["tfidf", "untrained", "pretrained"];
        Console.WriteLine();
        Console.WriteLine($"{"",-22}{"TF-IDF",14}{"untrained",14}{"pretrained",14}");
        var compared = _rows.Where(row => sides.Contains(row.Name.Split('/')[^1])).ToArray();
        foreach (var group in compared.GroupBy(row => row.Name[..row.Name.LastIndexOf('/')]))
        {
            var cells = sides.Select(side => group.FirstOrDefault(row => row.Name.EndsWith("/" + side, StringComparison.Ordinal)));
            Console.WriteLine($"{group.Key,-22}" + string.Concat(cells.Select(row => $"{Format(row),14}")));
        }
        Console.WriteLine();
        foreach (var row in _rows.Except(compared))
            Console.WriteLine($"{row.Name,-22}{Format(row),14} {row.Unit}");
    }

    /// <summary>Writes the figures with what they were measured on.</summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <param name="seed">Seed of the run.</param>
    /// <param name="data">What the run learned from, in words.</param>
    /// <param name="epochs">Passes over the data.</param>
    public void Save(string path, int seed, string data, int epochs)
    {
        var rows = new JsonArray();
        foreach (var row in _rows)
        {
            var json = new JsonObject { ["name"] = row.Name, ["value"] = Math.Round(row.Value, 4), ["unit"] = row.Unit };
            if (row.Spread is { } spread)
                json["spread"] = Math.Round(spread, 4);
            if (Reference(row) is { Value: > 0 } reference)
            {
                json["reference"] = Math.Round(reference.Value, 4);
                json["ratio"] = Math.Round(row.Value / reference.Value, 4);
            }
            rows.Add(json);
        }
        var root = new JsonObject
        {
            ["case"] = "quickstart",
            ["commit"] = Environment.GetEnvironmentVariable("SSL_COMMIT") ?? "unknown",
            ["machine"] = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}, {Environment.ProcessorCount} cores, .NET {Environment.Version}",
            ["seeds"] = new JsonArray(seed),
            ["data"] = data,
            ["epochs"] = epochs,
            ["rows"] = rows,
        };
        File.WriteAllText(path, root.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    /// <summary>A pretrained figure is compared with the same figure of TF-IDF.</summary>
    private Row? Reference(Row row) => row.Name.EndsWith("/pretrained", StringComparison.Ordinal)
        ? _rows.FirstOrDefault(other => other.Name == row.Name.Replace("/pretrained", "/tfidf", StringComparison.Ordinal)) : null;

    private static string Format(Row? row)
    {
        if (row is null)
            return "-";
        var value = row.Value.ToString(row.Unit == "s" ? "0.0" : "0.000", CultureInfo.InvariantCulture);
        return row.Spread is { } spread ? $"{value} ±{spread.ToString(".000", CultureInfo.InvariantCulture)}" : value;
    }
}
