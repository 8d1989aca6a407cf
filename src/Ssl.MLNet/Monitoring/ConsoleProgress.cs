using Ssl.Estimators;
using Ssl.MLNet.Monitoring;

namespace Ssl.MLNet;

/// <summary>
/// Shows a pretraining run on the console: one live line in a terminal (epoch, step, loss, samples a second, time left), plain
/// milestone lines where the output is redirected.
/// </summary>
/// <example>
/// <code>
/// using var progress = new ConsoleProgress();
/// var options = new PairedContrastiveTrainer.Options { Progress = progress };
/// </code>
/// </example>
/// <remarks>May be called from any thread. Dispose it to end the live line, so that later output starts on a new one.</remarks>
public sealed class ConsoleProgress : IProgress<PretrainingProgress>, IDisposable
{
    private readonly MonitorState _state = new();
    private readonly IProgressRenderer _renderer;
    private readonly Lock _lock = new();

    /// <summary>Shows progress on the console or on a writer of your own.</summary>
    /// <param name="writer">Where to write; <see langword="null"/> for <see cref="Console.Out"/>.</param>
    /// <param name="live">
    /// Whether to redraw one line; <see langword="null"/> decides: yes on the console unless its output is redirected, no on a
    /// writer of your own.
    /// </param>
    /// <param name="refreshEvery">
    /// Shortest time between two drawings; by default 0.1 seconds live, 10 seconds plain. Ends of epochs always show.
    /// </param>
    /// <param name="clock">Tells the time; <see langword="null"/> for the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="refreshEvery"/> is negative.</exception>
    public ConsoleProgress(TextWriter? writer = null, bool? live = null, TimeSpan? refreshEvery = null, TimeProvider? clock = null)
    {
        if (refreshEvery < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(refreshEvery), $"refreshEvery must be at least 0, got {refreshEvery}.");
        bool redraw = live ?? (writer is null && !Console.IsOutputRedirected);
        TextWriter target = writer ?? Console.Out;
        TimeProvider time = clock ?? TimeProvider.System;
        _renderer = redraw
            ? new LiveLineRenderer(target, writer is null ? ConsoleWidth : () => LiveLineRenderer.DefaultWidth,
                new Throttle(time, refreshEvery ?? TimeSpan.FromSeconds(0.1)))
            : new PlainLinesRenderer(target, new Throttle(time, refreshEvery ?? TimeSpan.FromSeconds(10)));
    }

    /// <summary>Takes in a report and draws it if it is time.</summary>
    /// <param name="value">The report.</param>
    public void Report(PretrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            _state.Add(value);
            _renderer.Draw(_state);
        }
    }

    /// <summary>Ends the live line.</summary>
    public void Dispose()
    {
        lock (_lock)
            _renderer.Finish(_state);
    }

    // A console without a window (a service, some containers) has no width or throws.
    private static int ConsoleWidth()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : LiveLineRenderer.DefaultWidth;
        }
        catch (IOException)
        {
            return LiveLineRenderer.DefaultWidth;
        }
    }
}
