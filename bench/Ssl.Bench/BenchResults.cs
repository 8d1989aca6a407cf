using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ssl.Bench;

/// <summary>The figures of one case: a table on the console and artifacts/bench/CASE.json.</summary>
public sealed class BenchResults(string name, bool quick)
{
    private readonly List<Row> _rows = [];
    private readonly List<string> _notes = [];

    private sealed record Row(string Name, double Value, string Unit, double? Reference, double? Ratio);

    /// <summary>Seed of everything random in a case.</summary>
    public const int Seed = 0;

    /// <summary>Adds a figure.</summary>
    /// <param name="row">Name of the figure.</param>
    /// <param name="value">Ours.</param>
    /// <param name="unit">Unit of both sides.</param>
    /// <param name="reference">The other side, where there is one.</param>
    /// <param name="lessIsBetter">Whether a small value is good; the ratio is turned so that more than 1 is better for us.</param>
    public void Add(string row, double value, string unit, double? reference = null, bool lessIsBetter = false)
        => _rows.Add(new Row(row, value, unit, reference, reference is { } other ? (lessIsBetter ? other / value : value / other) : null));

    /// <summary>Adds a sentence on what was measured: data, settings, what the reference is.</summary>
    public void Note(string sentence) => _notes.Add(sentence);

    /// <summary>Prints the table.</summary>
    public void Print()
    {
        Console.WriteLine();
        Console.WriteLine($"{name}{(quick ? " (quick form)" : "")}");
        Console.WriteLine($"  {"",-44}{"value",14}{"reference",14}{"ratio",8}  unit");
        foreach (var row in _rows)
            Console.WriteLine($"  {row.Name,-44}{Format(row.Value),14}{Format(row.Reference),14}{Format(row.Ratio),8}  {row.Unit}");
        foreach (var note in _notes)
            Console.WriteLine($"  {note}");
    }

    /// <summary>Writes the file.</summary>
    public void Save()
    {
        var rows = new JsonArray();
        foreach (var row in _rows)
        {
            var json = new JsonObject { ["name"] = row.Name, ["value"] = Round(row.Value), ["unit"] = row.Unit };
            if (row.Reference is { } reference)
            {
                json["reference"] = Round(reference);
                json["ratio"] = Round(row.Ratio!.Value);
            }
            rows.Add(json);
        }
        var root = new JsonObject
        {
            ["case"] = name,
            ["commit"] = Environment.GetEnvironmentVariable("SSL_COMMIT") ?? "unknown",
            ["machine"] = Machine(),
            ["seeds"] = new JsonArray(Seed),
            ["quick"] = quick,
            ["notes"] = new JsonArray([.. _notes.Select(note => JsonValue.Create(note))]),
            ["rows"] = rows,
        };
        var folder = Path.Combine("artifacts", "bench");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, $"{name}.json"), root.ToJsonString(new JsonSerializerOptions { WriteIndented = true })
            + "\n");
    }

    private static string Machine()
    {
        var processor = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo")
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() : null;
        return $"{processor ?? RuntimeInformation.OSArchitecture.ToString()}, {Environment.ProcessorCount} cores, "
            + $"{RuntimeInformation.OSDescription.Trim()}, .NET {Environment.Version}";
    }

    private static double Round(double value) => value == 0
        || !double.IsFinite(value) ? value : Math.Round(value, Math.Clamp(4 - (int)Math.Log10(Math.Abs(value)), 0, 8));

    private static string Format(double? value) => value is { } number
        ? number.ToString(Math.Abs(number) >= 1000 ? "N0" : "0.###", CultureInfo.InvariantCulture) : "";
}
