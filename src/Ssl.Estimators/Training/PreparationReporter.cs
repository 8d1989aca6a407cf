namespace Ssl.Estimators.Training;

/// <summary>Tells how far a <c>Fit</c> is before its first step, at a bounded rate.</summary>
/// <param name="progress">Told four times a second; may be null.</param>
/// <param name="info">Told every few seconds, as a line.</param>
/// <param name="numberOfEpochs">Epochs of the training to come.</param>
internal sealed class PreparationReporter(IProgress<PretrainingProgress>? progress, Action<string> info, int numberOfEpochs)
{
    private const long ProgressInterval = (long)(1000 * TrainingSettings.Defaults.ProgressIntervalSeconds);
    private const long LogInterval = (long)(1000 * TrainingSettings.Defaults.LogIntervalSeconds);

    private static readonly Dictionary<string, double> s_noTerms = [];

    private readonly long _start = Environment.TickCount64;
    private long _next = Environment.TickCount64 + ProgressInterval;
    private long _nextLine = Environment.TickCount64 + LogInterval;
    private long _begunAt = Environment.TickCount64;
    private volatile bool _ended;

    /// <summary>A row was read.</summary>
    /// <param name="count">Rows read in this pass.</param>
    public void Row(long count)
    {
        if (count == 1)
            _begunAt = Environment.TickCount64;
        if (IsDue)
            Tell(PretrainingPhase.ReadingRows, count, 0);
    }

    /// <summary>A piece of a vocabulary was learned.</summary>
    /// <param name="count">Tokens so far.</param>
    public void Token(int count)
    {
        if (IsDue)
            Tell(PretrainingPhase.TrainingTokenizer, 0, count);
    }

    /// <summary>The training begins: rows that are read from now on are its own.</summary>
    public void End() => _ended = true;

    private bool IsDue => Environment.TickCount64 >= _next && !_ended;

    private void Tell(PretrainingPhase phase, long rows, int tokens)
    {
        var now = Environment.TickCount64;
        _next = now + ProgressInterval;
        var seconds = (now - _begunAt) / 1000.0;
        var report = new PretrainingProgress(0, numberOfEpochs, 0, null, double.NaN, s_noTerms, 0, seconds > 0 ? rows / seconds : 0,
            TimeSpan.FromMilliseconds(now - _start), null, null, EpochCompleted: false)
        {
            Phase = phase, RowsRead = rows, TokensLearned = tokens,
        };
        if (now >= _nextLine)
        {
            info(ProgressText.Line(report));
            _nextLine = now + LogInterval;
        }
        progress?.Report(report);
    }
}
