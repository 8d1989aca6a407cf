using System.Diagnostics;

namespace Ssl.Estimators.Tests;

/// <summary>Runs a task of tests/Ssl.FreshProcess.</summary>
internal static class ChildProcess
{
    /// <summary>Starts a task; the process is the caller's.</summary>
    /// <param name="task">Its name in Ssl.FreshProcess.Tasks.</param>
    /// <param name="arguments">The task's own.</param>
    /// <param name="folder">The application's folder; null for the tests' own.</param>
    /// <param name="environment">Variables that it gets beside the tests' own; null removes one.</param>
    public static Process Start(string task, IEnumerable<string>? arguments = null, string? folder = null,
        IEnumerable<KeyValuePair<string, string?>>? environment = null)
    {
        var isDotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet";
        var start = new ProcessStartInfo(isDotnet ? Environment.ProcessPath! : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[Path.Combine(folder ?? AppContext.BaseDirectory, "Ssl.FreshProcess.dll"), $"do:{task}",
            .. arguments ?? []])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>The output of a process that must come to its end.</summary>
    public static string Finish(Process process)
    {
        using (process)
        {
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.AreEqual(0, process.ExitCode, $"{output}{Environment.NewLine}{error.Result}");
            return output;
        }
    }

    /// <summary>The output of a task that must come to its end.</summary>
    public static string Run(string task, IEnumerable<string>? arguments = null, string? folder = null,
        IEnumerable<KeyValuePair<string, string?>>? environment = null) => Finish(Start(task, arguments, folder, environment));
}
