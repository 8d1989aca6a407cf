using Microsoft.ML;
using Microsoft.ML.Runtime;
using Spectre.Console;

namespace Ssl.Tool;

/// <summary>Where a command writes: results to one stream, so that they can be piped on, and all that is about the run to the other.</summary>
/// <param name="output">Results.</param>
/// <param name="error">Progress, warnings, faults.</param>
/// <param name="isLive">Whether <paramref name="error"/> is a terminal, in which lines may be drawn anew.</param>
internal sealed class ToolConsole(TextWriter output, TextWriter error, bool isLive)
{
    private readonly Lock _lock = new();

    public TextWriter Output { get; } = output;

    public TextWriter Error { get; } = error;

    public bool IsLive { get; } = isLive;

    /// <summary>Spectre's console on <see cref="Error"/>.</summary>
    public IAnsiConsole ForProgress() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Error) });

    /// <summary>A line about the run.</summary>
    public void Tell(string line)
    {
        lock (_lock)
            Error.WriteLine(line);
    }

    /// <summary>Shows ML.NET's warnings, and with <paramref name="isVerbose"/> what it tells of the run.</summary>
    public void Follow(MLContext mlContext, bool isVerbose) => mlContext.Log += (_, e) =>
    {
        if (e.Kind == ChannelMessageKind.Warning)
            Tell($"warning: {e.RawMessage}");
        else if (isVerbose && e.Kind == ChannelMessageKind.Info)
            Tell(e.RawMessage);
    };
}
