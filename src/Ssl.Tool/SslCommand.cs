using System.CommandLine;
using Ssl.Tool.Commands;
using Ssl.Tool.Configuration;

namespace Ssl.Tool;

/// <summary>The command <c>ssl</c>: a file in Commands for each of its own, each listed here once.</summary>
internal static class SslCommand
{
    public const int Success = 0, Failure = 1, UsageFault = 2, Canceled = 130;

    /// <summary>Runs a command line.</summary>
    /// <returns>0; 1 where something failed, 2 where the command line or a file of settings is at fault, 130 where it was canceled.</returns>
    public static int Run(string[] args, ToolConsole console, CancellationToken cancellationToken)
    {
        var root = new RootCommand("Self-supervised learning: pretrain encoders on rows without labels, embed, evaluate, report, export.")
        {
            InitCommand.Create(console),
            MethodsCommand.Create(console),
            PretrainCommand.Create(console, cancellationToken),
            EmbedCommand.Create(console, cancellationToken),
            EvaluateCommand.Create(console, cancellationToken),
            ReportCommand.Create(console, cancellationToken),
            ExportCommand.Create(console),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var fault in parsed.Errors)
                console.Tell(fault.Message);
            console.Tell($"\"ssl {(parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ")}--help\" shows how it is used.");
            return UsageFault;
        }
        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = console.Output, Error = console.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e) when (IsCancellation(e, cancellationToken))
        {
            console.Tell("Canceled.");
            return Canceled;
        }
        catch (Exception e) when (e is ConfigException or UsageException or FileNotFoundException or DirectoryNotFoundException)
        {
            console.Tell(e.Message);
            return UsageFault;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            console.Tell($"{e.GetBaseException().Message}");
            return Failure;
        }
    }

    private static bool IsCancellation(Exception e, CancellationToken token)
        => token.IsCancellationRequested && (e is OperationCanceledException || e.GetBaseException() is OperationCanceledException);
}
