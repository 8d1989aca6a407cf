using System.Diagnostics;

namespace Ssl.FreshProcess;

/// <summary>Starts this program several times, as a user does it with an MPI launcher.</summary>
public static class MpiLauncher
{
    /// <summary>Whether a launcher is installed; which one is missing is the test's to say.</summary>
    public static bool Exists(string launcher)
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, launcher)));

    /// <summary>Runs a task of this program.</summary>
    /// <param name="launcher">The launcher and its own arguments; none for one process.</param>
    /// <param name="arguments">The task, "do:NAME", and its arguments.</param>
    /// <param name="environment">Further variables.</param>
    public static (int Exit, string Output, string Error) Run(IReadOnlyList<string> launcher, IReadOnlyList<string> arguments, params (string Name, string Value)[] environment)
    {
        string[] line = [.. launcher, "dotnet", Path.Combine(AppContext.BaseDirectory, "Ssl.FreshProcess.dll"), .. arguments];
        var start = new ProcessStartInfo(line[0], line[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        // Open MPI refuses to be run by root unless told twice; within a container that is the only user there is. No codes for a terminal among the lines.
        foreach (var (name, value) in ((string, string)[])[("OMPI_ALLOW_RUN_AS_ROOT", "1"), ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"), ("TERM", "dumb"), .. environment])
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
