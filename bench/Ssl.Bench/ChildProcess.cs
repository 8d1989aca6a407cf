using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Ssl.Bench;

/// <summary>Starts this program again for one side of a measurement and reads the figures that it prints.</summary>
public static class ChildProcess
{
    private const string Mark = "figures: ";

    /// <summary>Runs a named child.</summary>
    public static Dictionary<string, double> Start(string name, params string[] arguments) => Start(name, arguments, [], new Dictionary<string, string?>());

    /// <summary>Runs a named child through a launcher, the last of whose processes to print figures counts.</summary>
    public static Dictionary<string, double> Start(string name, string[] arguments, string[] launcher, IReadOnlyDictionary<string, string?> environment)
    {
        // A published program is its own host, dotnet is given the assembly.
        var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        string[] program = isDotnet ? [typeof(ChildProcess).Assembly.Location] : [];
        string[] line = [.. launcher, Environment.ProcessPath!, .. program, "--child", name, .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (variable, value) in environment)
            start.Environment[variable] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var printed = output.Split('\n').LastOrDefault(l => l.Contains(Mark, StringComparison.Ordinal) && !l.EndsWith("{}", StringComparison.Ordinal));
        if (process.ExitCode != 0 || printed is null)
            throw new InvalidOperationException($"The child '{name}' failed (exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}): {output}{errors.Result}");
        return JsonSerializer.Deserialize<Dictionary<string, double>>(printed[(printed.IndexOf(Mark, StringComparison.Ordinal) + Mark.Length)..])!;
    }

    /// <summary>The child's side: does the work and prints its figures.</summary>
    public static int Run(string name, string[] arguments)
    {
        var figures = name switch
        {
            "train-streaming" => MemoryUse.TrainStreaming(long.Parse(arguments[0], CultureInfo.InvariantCulture),
                int.Parse(arguments[1], CultureInfo.InvariantCulture)),
            "processes-fit" => Processes.Fit(arguments[0], arguments.Contains("compressed")),
            "cached-step" => GradientCaching.Train(arguments[0], int.Parse(arguments[1], CultureInfo.InvariantCulture), int.Parse(arguments[2], CultureInfo.InvariantCulture)),
            "open-index" => NeighborIndexFile.Open(arguments[0]),
            "gpu-row" => GpuRow.Run(arguments[0], bool.Parse(arguments[1])),
            "load-model" => Saving.LoadAndScore(arguments[0]),
            _ => throw new ArgumentException($"There is no child '{name}'."),
        };
        Console.WriteLine(Mark + JsonSerializer.Serialize(figures));
        return 0;
    }
}
