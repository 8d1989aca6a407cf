using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ssl.Bench;

/// <summary>Starts this program again for one side of a measurement and reads the figures that it prints.</summary>
public static class ChildProcess
{
    private const string Mark = "figures: ";

    /// <summary>Runs a named child.</summary>
    public static Dictionary<string, double> Start(string name, params string[] arguments)
    {
        // A published program is its own host, dotnet is given the assembly.
        var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        string[] program = isDotnet ? [typeof(ChildProcess).Assembly.Location] : [];
        var start = new ProcessStartInfo(Environment.ProcessPath!, [.. program, "--child", name, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var line = output.Split('\n').LastOrDefault(l => l.StartsWith(Mark, StringComparison.Ordinal));
        if (process.ExitCode != 0 || line is null)
            throw new InvalidOperationException($"The child '{name}' failed (exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}): {output}{errors.Result}");
        return JsonSerializer.Deserialize<Dictionary<string, double>>(line[Mark.Length..])!;
    }

    /// <summary>The child's side: does the work and prints its figures.</summary>
    public static int Run(string name, string[] arguments)
    {
        var figures = name switch
        {
            "train-streaming" => MemoryUse.TrainStreaming(long.Parse(arguments[0], CultureInfo.InvariantCulture),
                int.Parse(arguments[1], CultureInfo.InvariantCulture)),
            "clip-step" => GradientCaching.Train(int.Parse(arguments[0], CultureInfo.InvariantCulture), int.Parse(arguments[1], CultureInfo.InvariantCulture)),
            "open-index" => NeighborIndexFile.Open(arguments[0]),
            "gpu-row" => GpuRow.Run(arguments[0], bool.Parse(arguments[1])),
            "load-model" => Saving.LoadAndScore(arguments[0]),
            _ => throw new ArgumentException($"There is no child '{name}'."),
        };
        Console.WriteLine(Mark + JsonSerializer.Serialize(figures));
        return 0;
    }
}
