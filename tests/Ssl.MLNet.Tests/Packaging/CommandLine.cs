using System.Diagnostics;

namespace Ssl.MLNet.Tests;

/// <summary>Starts dotnet as a user does.</summary>
internal static class CommandLine
{
    /// <summary>Runs <c>dotnet</c> and gives its standard output; fails with all that it said where it does not end well.</summary>
    public static string Dotnet(string folder, IReadOnlyDictionary<string, string> environment, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        // What the test host's own build has set would reach the build of the child.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, $"dotnet {string.Join(' ', arguments)}\n{output}{errors.Result}");
        return output.ReplaceLineEndings("\n");
    }
}
