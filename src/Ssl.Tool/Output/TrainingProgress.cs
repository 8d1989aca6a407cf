using Spectre.Console;
using Ssl.Estimators;
using Ssl.Estimators.Training;
using Ssl.MLNet;

namespace Ssl.Tool.Output;

/// <summary>Shows a training: bars in a terminal, a line every few seconds and one at the end elsewhere.</summary>
internal abstract class TrainingProgress : IProgress<PretrainingProgress>, IDisposable
{
    /// <summary>What fits the console.</summary>
    public static TrainingProgress On(ToolConsole console) => console.IsLive ? new Bars(console.ForProgress()) : new Lines(console.Error);

    public abstract void Report(PretrainingProgress value);

    public abstract void Dispose();

    private sealed class Lines(TextWriter writer) : TrainingProgress
    {
        // Short epochs by the hundred would fill a log.
        private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(5);

        private readonly ConsoleProgress _progress = new(writer, live: false, refreshEvery: TimeSpan.Zero);
        private long? _last;
        private PretrainingPhase _phase;

        public override void Report(PretrainingProgress value)
        {
            var isLast = value.EpochCompleted && value.Epoch == value.NumberOfEpochs;
            if (!isLast && value.Phase == _phase && _last is { } last && TimeProvider.System.GetElapsedTime(last) < s_shortest)
                return;
            (_last, _phase) = (TimeProvider.System.GetTimestamp(), value.Phase);
            _progress.Report(value);
        }

        public override void Dispose() => _progress.Dispose();
    }

    /// <summary>A bar for the run and one for the epoch. Spectre draws on a task of its own, which ends with <see cref="Dispose"/>.</summary>
    private sealed class Bars : TrainingProgress
    {
        private readonly TaskCompletionSource _ended = new();
        private readonly TaskCompletionSource<(ProgressTask Run, ProgressTask Epoch)> _started = new();
        private readonly Task _drawing;

        public Bars(IAnsiConsole console) => _drawing = Task.Run(() => console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                _started.SetResult((context.AddTask("training", maxValue: 1), context.AddTask("epoch", maxValue: 1)));
                await _ended.Task.ConfigureAwait(false);
            }));

        public override void Report(PretrainingProgress value)
        {
            var (run, epoch) = _started.Task.GetAwaiter().GetResult();
            run.Description = Markup.Escape(ProgressText.Line(value));
            if (value.Phase != PretrainingPhase.Training)
                return;
            epoch.Description = $"epoch {value.Epoch}";
            epoch.Value = value.EpochCompleted ? 1 : value.NumberOfSteps is > 0 and { } steps ? Math.Min(1, (double)value.Step / steps) : 0;
            run.Value = (value.Epoch - 1 + epoch.Value) / Math.Max(1, value.NumberOfEpochs);
        }

        public override void Dispose()
        {
            _ended.TrySetResult();
            _drawing.GetAwaiter().GetResult();
        }
    }
}
