using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Ssl.Bench;

/// <summary>Runs the Python programs that some cases compare with.</summary>
public static class Peer
{
    // SSL_PYTHON names another interpreter, such as one whose torch knows the GPU.
    internal static readonly string Python = Environment.GetEnvironmentVariable("SSL_PYTHON") is { Length: > 0 } named ? named
        : "/usr/bin/python3";

    /// <summary>Throws unless a program and its packages are there.</summary>
    /// <exception cref="BenchUnavailableException">Something is missing.</exception>
    public static void Require(BenchSettings settings, string program)
    {
        if (settings.Peers is null || !File.Exists(Path.Combine(settings.Peers, program)))
            throw new BenchUnavailableException($"the Python program {program} was not found; name its folder with --peers DIR.");
        var check = new ProcessStartInfo(Python, ["-c", "import torch, sklearn"]) { RedirectStandardError = true };
        using var process = File.Exists(Python) ? Process.Start(check) : null;
        process?.StandardError.ReadToEnd();
        process?.WaitForExit();
        if (process is not { ExitCode: 0 })
            throw new BenchUnavailableException("Python's torch is not installed (Debian: apt-get install python3-torch python3-sklearn), so there is nothing to compare with.");
    }

    /// <summary>
    /// Python finds its own libtorch: where this program runs on another one (eng/gpu-check), that one's path must not lead it astray.
    /// </summary>
    internal static void LeaveLibraries(ProcessStartInfo start)
    {
        start.Environment.Remove("LD_PRELOAD");
        if (!start.Environment.Remove("SSL_SYSTEM_LIBRARY_PATH", out var libraries))
            return;
        start.Environment.Remove("LD_LIBRARY_PATH");
        if (libraries is { Length: > 0 })
            start.Environment["LD_LIBRARY_PATH"] = libraries;
    }

    /// <summary>Runs a piece of Python with the peers' folder as its first argument and gives the JSON of its result file.</summary>
    /// <param name="settings">Names the peers' folder.</param>
    /// <param name="code">Reads <c>sys.argv</c>; the peers' <c>Run</c> writes the result file.</param>
    /// <param name="arguments">Behind the folder.</param>
    public static JsonObject Run(BenchSettings settings, string code, params string[] arguments) => Run(code, [settings.Peers ?? "", .. arguments]);

    /// <summary>Runs a piece of Python, which writes JSON to the file that PEER_OUT names, and gives that.</summary>
    public static JsonObject Run(string code, string[] arguments)
    {
        var file = Path.GetTempFileName();
        File.Delete(file);
        try
        {
            var start = new ProcessStartInfo(Python, ["-c", code, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
            LeaveLibraries(start);
            start.Environment["PEER_OUT"] = file;
            using var process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 && File.Exists(file)
                ? JsonNode.Parse(File.ReadAllText(file))!.AsObject()
                : throw new InvalidOperationException($"The Python program failed (exit code {process.ExitCode.ToString(CultureInfo.InvariantCulture)}): {errors}");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
