using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Ssl.Bench;

/// <summary>Eager PyTorch on the same device (bench/peers/gpu.py): one process that measures a row whenever it is asked to.</summary>
public sealed class GpuPeer : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    /// <summary>Starts it.</summary>
    /// <param name="device">"cuda" or "cpu".</param>
    public GpuPeer(string device)
    {
        var start = new ProcessStartInfo(Peer.Python, [Path.Combine(AppContext.BaseDirectory, "peers", "gpu.py"), device])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        Peer.LeaveLibraries(start);
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Measures a row and gives what the program answers: "rate", "memory" in MB on a GPU, "torch".</summary>
    /// <param name="request">The row's name and the arguments of its function there.</param>
    /// <exception cref="InvalidOperationException">It failed, or the program has ended.</exception>
    public JsonObject Measure(JsonObject request)
    {
        _process.StandardInput.WriteLine(request.ToJsonString());
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLine() is { } line ? JsonNode.Parse(line)!.AsObject()
            : throw new InvalidOperationException($"the Python program ended: {_errors.Result}");
        return answer["error"] is { } error ? throw new InvalidOperationException($"the Python program says: {error}") : answer;
    }

    /// <summary>Ends it.</summary>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
