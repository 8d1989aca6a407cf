using Microsoft.Extensions.Options;

namespace SearchService.Models;

/// <summary>
/// Looks at the model file, loads what it finds new beside the model that is served, and replaces that one only where the new one answers its probe.
/// </summary>
/// <remarks>It looks instead of being told: notices of file systems do not come from network drives and the mounts of containers.</remarks>
public sealed partial class ModelWatcher(ModelStore store, ServiceMetrics metrics, IOptions<ServiceOptions> options, ILogger<ModelWatcher> logger)
    : BackgroundService
{
    private readonly string _path = Path.GetFullPath(options.Value.ModelPath);
    private (DateTime Written, long Length)? _seen;
    private string? _absence;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.ModelPollSeconds));
        do
        {
            // Reading and probing takes as long as it takes, on no thread that answers.
            await Task.Run(Look, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void Look()
    {
        if (Stamp(out var absence) is not { } stamp)
        {
            // Said once, not at every look.
            if (absence != _absence)
                LogAbsent(absence!);
            (_seen, _absence, store.Fault) = (null, absence, absence);
            return;
        }
        _absence = null;
        // What was refused is not tried again before it changes.
        if (stamp == _seen)
            return;
        _seen = stamp;
        try
        {
            var model = ModelFile.Load(_path, LogNotice);
            if (model.Version == store.Version)
            {
                // Touched, or put back: the same bytes.
                model.Release();
                store.Fault = null;
                return;
            }
            var former = store.Version;
            var (version, rows) = (model.Version, model.CatalogRows);
            // In this order: who sees the new version sees no fault of a file before it.
            store.Fault = null;
            store.Replace(model);
            metrics.CountReload("loaded");
            LogLoaded(version, _path, rows, former ?? "none");
        }
        // Whatever is wrong with the file: the model that is served stays.
        catch (Exception fault)
        {
            store.Fault = fault.Message;
            metrics.CountReload("failed");
            LogRefused(fault, _path, store.Version ?? "none");
        }
    }

    // A mounted file may be a link that is turned to another target.
    private (DateTime, long)? Stamp(out string? absence)
    {
        absence = $"There is no model file '{_path}': make one with the command 'train'.";
        try
        {
            var file = new FileInfo(_path);
            if (file.LinkTarget is not null)
                file = (FileInfo)file.ResolveLinkTarget(returnFinalTarget: true)!;
            return file.Exists ? (file.LastWriteTimeUtc, file.Length) : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            absence = $"The model file '{_path}' cannot be looked at: {fault.Message}";
            return null;
        }
    }

    [LoggerMessage(LogLevel.Information, "Serving model {Version} from '{Path}', {Rows} rows in its catalog; before: {Former}.")]
    private partial void LogLoaded(string version, string path, int rows, string former);

    [LoggerMessage(LogLevel.Error, "The model file '{Path}' is not served; still serving: {Version}.")]
    private partial void LogRefused(Exception fault, string path, string version);

    [LoggerMessage(LogLevel.Warning, "{Absence}")]
    private partial void LogAbsent(string absence);

    [LoggerMessage(LogLevel.Warning, "{Message}")]
    private partial void LogNotice(string message);
}
