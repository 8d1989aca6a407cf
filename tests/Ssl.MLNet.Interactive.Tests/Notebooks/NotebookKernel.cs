using System.Diagnostics;
using System.Text.Json.Nodes;
using Ssl.MLNet.Tests;

namespace Ssl.MLNet.Interactive.Tests.Notebooks;

/// <summary>
/// .NET Interactive as notebooks run it: the tool <c>dotnet-interactive</c> in a process of its own, spoken to over its standard streams. It takes this library from a folder of
/// packages, and everything else from where NuGet takes it here.
/// </summary>
internal sealed class NotebookKernel : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);

    private readonly string _folder = Directory.CreateTempSubdirectory("ssl-notebook-").FullName;
    private readonly Process _process;
    private readonly Task<string> _complaints;
    private int _count;

    private NotebookKernel()
    {
        var none = new Dictionary<string, string>();
        CommandLine.Dotnet(Repository.Root, none, "tool", "restore");
        var cache = CommandLine.Dotnet(_folder, none, "nuget", "locals", "global-packages", "--list").Split(": ", 2)[1].Trim();
        var start = new ProcessStartInfo("dotnet", ["tool", "run", "dotnet-interactive", "stdio", "--default-kernel", "csharp"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Repository.Root,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        // Our packages go into a folder of this run: in the user's they would stand for every later build of the same version.
        start.Environment["NUGET_PACKAGES"] = Path.Combine(_folder, "packages");
        start.Environment["RestoreFallbackFolders"] = cache;
        start.Environment["TMPDIR"] = _folder;
        start.Environment["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_INTERACTIVE_SKIP_FIRST_TIME_EXPERIENCE"] = "1";
        _process = Process.Start(start)!;
        _complaints = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>Starts a kernel.</summary>
    /// <param name="feed">A folder of packages that it takes ours from.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<NotebookKernel> Start(string feed, CancellationToken cancellationToken)
    {
        var kernel = new NotebookKernel();
        try
        {
            while ((string?)(await kernel.Next(cancellationToken))["eventType"] != "KernelReady")
            {
            }
            await kernel.Run($"#i \"nuget:{feed}\"", cancellationToken);
            return kernel;
        }
        catch
        {
            await kernel.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a cell to its end.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="stopAt">Where what it draws anew contains this, the cell is stopped as by the button; null lets it end by itself.</param>
    /// <returns>What it put out; the last is an error where it failed.</returns>
    public async Task<IReadOnlyList<Output>> Run(string code, CancellationToken cancellationToken, string? stopAt = null)
    {
        var token = $"cell{++_count}";
        await Send("SubmitCode", new JsonObject { ["code"] = code, ["targetKernelName"] = "csharp" }, token, cancellationToken);
        var outputs = new List<(string? Id, Output Output)>();
        while (true)
        {
            var message = await Next(cancellationToken);
            var (kind, of) = ((string?)message["eventType"], (string?)message["command"]?["token"] ?? "");
            if (of != token && !of.StartsWith(token + ".", StringComparison.Ordinal))
                continue;
            switch (kind)
            {
                case "CommandSucceeded" when of == token:
                    return [.. outputs.Select(item => item.Output)];
                case "CommandFailed" when of == token:
                    return [.. outputs.Select(item => item.Output), new Output("error", "text/plain", (string)message["event"]!["message"]!)];
                case "StandardOutputValueProduced" or "StandardErrorValueProduced":
                    var printed = Value(message, "stream");
                    if (outputs.LastOrDefault().Output is { Kind: "stream" } before)
                        outputs[^1] = (null, before with { Text = before.Text + printed.Text });
                    else
                        outputs.Add((null, printed));
                    break;
                case "DisplayedValueProduced" or "ReturnValueProduced":
                    outputs.Add(((string?)message["event"]!["valueId"], Value(message, kind == "ReturnValueProduced" ? "execute_result" : "display_data")));
                    break;
                case "DisplayedValueUpdated":
                    // What is drawn anew stands where it stood.
                    var place = outputs.FindIndex(item => item.Id == (string?)message["event"]!["valueId"]);
                    outputs[place] = (outputs[place].Id, Value(message, outputs[place].Output.Kind));
                    if (stopAt is not null && outputs[place].Output.Text.Contains(stopAt, StringComparison.Ordinal))
                    {
                        stopAt = null;
                        await Send("Cancel", new JsonObject { ["targetKernelName"] = ".NET" }, $"stop{_count}", cancellationToken);
                    }
                    break;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task Send(string kind, JsonObject command, string token, CancellationToken cancellationToken)
    {
        var message = new JsonObject { ["commandType"] = kind, ["command"] = command, ["token"] = token, ["routingSlip"] = new JsonArray() };
        await _process.StandardInput.WriteLineAsync(message.ToJsonString().AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
    }

    private static Output Value(JsonNode message, string kind)
    {
        var value = message["event"]!["formattedValues"]![0]!;
        return new Output(kind, (string)value["mimeType"]!, ((string)value["value"]!).ReplaceLineEndings("\n"));
    }

    private async Task<JsonNode> Next(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_patience);
        while (true)
        {
            var line = await _process.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException($"The kernel ended. It said: {await _complaints}");
            // A tool that is started the first time may greet.
            if (line.StartsWith('{'))
                return JsonNode.Parse(line)!;
        }
    }
}
