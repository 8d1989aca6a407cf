using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ssl.Bench;

/// <summary>The quickstart's own figures, in the form of the other cases.</summary>
public sealed class QuickstartCase : BenchCase
{
    /// <inheritdoc/>
    public override string Name => "quickstart";

    /// <inheritdoc/>
    public override int Minutes => 4;

    /// <inheritdoc/>
    public override string Description => "The quickstart: search and classification on the documentation of .NET, wall time";

    /// <inheritdoc/>
    public override void Run(BenchSettings settings, BenchResults results)
    {
        var output = Path.Combine("artifacts", "bench", "quickstart-run");
        string[] arguments = ["run", "-c", "Release", "--project", Path.Combine("examples", "quickstart"), "--", "--output", output,
            "--seed", BenchResults.Seed.ToString(CultureInfo.InvariantCulture), .. settings.Quick ? ["--small"] : Array.Empty<string>()];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments))!;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"The quickstart ended with exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}.");
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "results.json")));
        foreach (var row in json.RootElement.GetProperty("rows").EnumerateArray())
            results.Add(row.GetProperty("name").GetString()!, row.GetProperty("value").GetDouble(), row.GetProperty("unit").GetString()!,
                row.TryGetProperty("reference", out var reference) ? reference.GetDouble() : null);
        results.Note($"Learned from {json.RootElement.GetProperty("data").GetString()}; reference is TF-IDF.");
    }
}
