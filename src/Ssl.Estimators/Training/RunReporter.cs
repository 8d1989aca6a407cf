namespace Ssl.Estimators.Training;

/// <summary>Turns steps into reports at a bounded rate: progress objects, log lines, epoch summaries.</summary>
internal sealed class RunReporter
{
    private readonly TrainingSettings _settings;
    private readonly TrainingReporter _sinks;
    private readonly TimeProvider _clock;
    private readonly RunLength _length;
    private readonly long _start;
    private readonly TimeSpan _before;
    private readonly LossAverage _recent = new();
    private readonly LossAverage _epoch = new();
    private readonly StepRecorder _steps;

    private TimeSpan _lastProgress;
    private TimeSpan _lastLine;
    private TimeSpan _epochStart;
    private double _learningRate;
    private TimeSpan? _epochEnd;

    /// <summary>Starts the clock.</summary>
    /// <param name="settings">Intervals and number of epochs.</param>
    /// <param name="sinks">Where reports go.</param>
    /// <param name="length">Length of the run, for the time left.</param>
    /// <param name="before">Training time before a resume.</param>
    /// <param name="steps">Remembers the steps.</param>
    public RunReporter(TrainingSettings settings, TrainingReporter sinks, RunLength length, TimeSpan before, StepRecorder steps)
    {
        (_settings, _sinks, _length, _before, _steps) = (settings, sinks, length, before, steps);
        _clock = sinks.Clock ?? TimeProvider.System;
        _start = _clock.GetTimestamp();
        _lastProgress = _lastLine = _epochStart = before;
    }

    /// <summary>Training time, the part before a resume included.</summary>
    public TimeSpan Elapsed => _before + _clock.GetElapsedTime(_start);

    /// <summary>The epoch under way, from 1.</summary>
    public int Epoch { get; private set; }

    /// <summary>Steps of the epoch under way whose numbers came in.</summary>
    public long StepsInEpoch => _epoch.Steps;

    /// <summary>Mean loss of the epoch under way; NaN before its first step.</summary>
    public double EpochLoss => _epoch.Loss;

    /// <summary>Last embedding spread.</summary>
    public double? Spread { get; private set; }

    /// <summary>Begins an epoch.</summary>
    public void BeginEpoch(int epoch)
    {
        Epoch = epoch;
        _epoch.Reset();
        _recent.Reset();
        _epochStart = _lastProgress = Elapsed;
        _lastLine = Elapsed;
        _epochEnd = null;
    }

    /// <summary>Whether a report is due, for which the pending steps' numbers should be read.</summary>
    public bool IsDue
    {
        get
        {
            TimeSpan now = Elapsed;
            return _sinks.Progress is not null && now - _lastProgress >= _settings.ProgressInterval
                || _sinks.Info is not null && now - _lastLine >= _settings.LogInterval;
        }
    }

    /// <summary>Takes in a step's numbers.</summary>
    public void Add(StepNumbers numbers)
    {
        _epoch.Add(numbers.Samples, numbers.Loss, numbers.Names, numbers.Terms);
        _recent.Add(numbers.Samples, numbers.Loss, numbers.Names, numbers.Terms);
        _learningRate = numbers.LearningRate;
        if (numbers.Spread is { } spread)
            Spread = spread;
        var terms = new Dictionary<string, double>(numbers.Names.Count);
        for (int i = 0; i < numbers.Names.Count; i++)
            terms[numbers.Names[i]] = numbers.Terms[i];
        _steps.Add(Epoch, numbers.Loss, terms, numbers.LearningRate, Spread);
    }

    /// <summary>Reports what is due.</summary>
    public void Report()
    {
        TimeSpan now = Elapsed;
        if (_recent.Steps == 0)
            return;
        bool line = _sinks.Info is not null && now - _lastLine >= _settings.LogInterval;
        bool progress = _sinks.Progress is not null && now - _lastProgress >= _settings.ProgressInterval;
        if (!line && !progress)
            return;
        PretrainingProgress report = Make(_recent, now, _lastProgress, completed: false);
        if (line)
        {
            _sinks.Info!(ProgressText.Line(report));
            _lastLine = now;
        }
        if (progress)
            _sinks.Progress!.Report(report);
        _lastProgress = now;
        _recent.Reset();
    }

    /// <summary>Ends the training of the epoch under way: what follows until it is closed does not count as its time.</summary>
    public void EndTraining() => _epochEnd = Elapsed;

    /// <summary>Closes the epoch under way and reports it.</summary>
    /// <param name="validationLoss">Loss on the rows kept aside, where there are any.</param>
    public EpochSummary CompleteEpoch(double? validationLoss)
    {
        PretrainingProgress report = Make(_epoch, _epochEnd ?? Elapsed, _epochStart, completed: true) with
        {
            ValidationLoss = validationLoss, Elapsed = Elapsed,
        };
        _sinks.Info?.Invoke(ProgressText.Line(report));
        _sinks.Progress?.Report(report);
        return new EpochSummary(Epoch, _epoch.Steps, _epoch.Samples, report.Loss, report.Terms, _learningRate, report.SamplesPerSecond,
            Spread, validationLoss);
    }

    /// <summary>Gives a warning.</summary>
    public void Warn(string sentence) => _sinks.Warning?.Invoke(sentence);

    /// <summary>Gives an info line.</summary>
    public void Inform(string sentence) => _sinks.Info?.Invoke(sentence);

    private PretrainingProgress Make(LossAverage average, TimeSpan now, TimeSpan since, bool completed)
    {
        double seconds = (now - since).TotalSeconds;
        return new PretrainingProgress(Epoch, _settings.NumberOfEpochs, _epoch.Steps, _length.StepsPerEpoch, average.Loss, average.Terms,
            _learningRate, seconds > 0 ? average.Samples / seconds : 0, now,
            _length.Remaining(completed ? Epoch : Epoch - 1, completed ? 0 : _epoch.Steps, now), Spread, completed);
    }
}
