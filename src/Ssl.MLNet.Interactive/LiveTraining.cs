using System.Diagnostics;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.ML;
using Ssl.Estimators;
using Ssl.Estimators.Reporting;

namespace Ssl.MLNet.Interactive;

/// <summary>
/// A training that is seen while it runs: a line of progress and the curve of its loss below the cell, drawn anew about twice a second. Stopping the cell ends the
/// training with what it has learned. In a program, without a notebook, it is lines on the console, those of <see cref="ConsoleProgress"/>.
/// </summary>
/// <remarks>
/// A cell that is stopped loses what it would have assigned. So <see cref="Fit"/> keeps the result, too: <see cref="Result"/> of a training that was made
/// in an earlier cell.
/// <code>
/// // cell 1
/// var training = new LiveTraining();
/// var trainer = ssl.Text.SimCse(new SimCseTrainer.Options { Progress = training, CancellationToken = training.CancellationToken });
/// // cell 2
/// var encoder = training.Fit(trainer, data);
/// </code>
/// </remarks>
public sealed class LiveTraining : IProgress<PretrainingProgress>, IDisposable
{
    private const int MostPoints = 400;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(0.5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(double X, double Y)> _validations = [];
    private readonly Stopwatch _sinceDrawn = Stopwatch.StartNew();
    private DisplayedValue? _shown;
    private ConsoleProgress? _console;
    private PretrainingProgress? _last;
    private List<(double X, double Y)> _losses = [];
    private string _state = "not begun";
    private bool _isUsed;
    private int _every = 1;
    private long _steps, _stepsBefore;

    /// <summary>For the options of the trainer: it is canceled when the cell is stopped in which <see cref="Fit"/> runs, or by <see cref="Stop"/>.</summary>
    public CancellationToken CancellationToken => _stop.Token;

    /// <summary>What <see cref="Fit"/> gave, also where its cell was stopped; null while it runs and where it failed.</summary>
    public ITransformer? Result { get; private set; }

    /// <summary>Fits and shows how that goes below the cell that is running, or on the console where none is.</summary>
    /// <typeparam name="T">What the estimator gives.</typeparam>
    /// <param name="estimator">One whose options have this as <c>Progress</c> and <see cref="CancellationToken"/>, or a chain with such a one.</param>
    /// <param name="data">The rows.</param>
    /// <returns>What the estimator gives; the same as <see cref="Result"/>.</returns>
    /// <exception cref="InvalidOperationException">It was used for a training before.</exception>
    public T Fit<T>(IEstimator<T> estimator, IDataView data) where T : class, ITransformer
    {
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(data);
        if (_isUsed)
            throw new InvalidOperationException("This LiveTraining was used for a training before: make a new one, and a trainer with it.");
        (_isUsed, _state) = (true, "reading rows");
        var context = KernelInvocationContext.Current;
        using var stopped = context?.CancellationToken.Register(Stop);
        using var console = context is null ? new ConsoleProgress() : null;
        (_shown, _console) = (context?.Display(this, HtmlFormatter.MimeType), console);
        try
        {
            var result = estimator.Fit(data);
            Result = result;
            End(_stop.IsCancellationRequested ? "stopped, with what it had learned; it is in Result" : "done");
            return result;
        }
        catch (Exception e)
        {
            End(e is OperationCanceledException ? "stopped before there was anything to keep" : $"failed: {e.Message}");
            throw;
        }
    }

    /// <summary>Ends the training soon.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Takes what a trainer reports; drawn only now and then.</summary>
    /// <param name="value">How far it is.</param>
    public void Report(PretrainingProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            // Steps are counted anew in every epoch.
            if (_last is { Phase: PretrainingPhase.Training } last && last.Epoch != value.Epoch)
                _stepsBefore += last.Step;
            var step = _stepsBefore + value.Step;
            (_last, _state) = (value, value.Phase == PretrainingPhase.Training ? "training" : "reading rows");
            // Of a long training every second step, then every fourth, and so on.
            if (value.Phase == PretrainingPhase.Training && double.IsFinite(value.Loss) && _steps++ % _every == 0)
            {
                _losses.Add((step, value.Loss));
                if (_losses.Count > 2 * MostPoints)
                {
                    _losses = [.. _losses.Where((_, i) => i % 2 == 0)];
                    _every *= 2;
                }
            }
            if (value.ValidationLoss is { } validation && double.IsFinite(validation))
                _validations.Add((step, validation));
        }
        _console?.Report(value);
        if (_sinceDrawn.Elapsed < s_pause)
            return;
        _sinceDrawn.Restart();
        _shown?.Update(this);
    }

    /// <summary>Lets go of what the cancellation needs. The result is the caller's.</summary>
    public void Dispose() => _stop.Dispose();

    /// <summary>How far it is, as HTML.</summary>
    internal string ToHtml()
    {
        var page = new Page();
        lock (_lock)
        {
            page.Paragraph(_last is { Phase: PretrainingPhase.Training } last ? FormattableString.Invariant($"Epoch {last.Epoch} of {last.NumberOfEpochs}, step {last.Step:N0}{(last.NumberOfSteps is { } all ? FormattableString.Invariant($" of {all:N0}") : "")}, loss {Words.Number(last.Loss)}, ")
                + FormattableString.Invariant($"{last.SamplesPerSecond:N0} samples/s, {Words.Duration(last.Elapsed)}{(last.Remaining is { } rest && _state == "training" ? $", about {Words.Duration(rest)} left" : "")}: {_state}.") : $"{char.ToUpperInvariant(_state[0])}{_state[1..]}.");
            Series[] series = _validations.Count == 0 ? [new Series("training loss", [.. _losses])]
                : [new Series("training loss", [.. _losses]), new Series("loss on rows kept aside", [.. _validations])];
            page.Html(Charts.Lines("The loss so far", "step", "loss", series));
        }
        return Views.Fragment(page);
    }

    private void End(string state)
    {
        lock (_lock)
            _state = state;
        _shown?.Update(this);
    }
}
