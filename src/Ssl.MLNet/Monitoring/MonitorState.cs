using Ssl.Estimators;

namespace Ssl.MLNet.Monitoring;

/// <summary>What a monitor knows of a run: the latest report and the finished epochs. No drawing.</summary>
internal sealed class MonitorState
{
    private readonly List<PretrainingProgress> _epochs = [];

    /// <summary>The latest report; <see langword="null"/> before the first.</summary>
    public PretrainingProgress? Latest { get; private set; }

    /// <summary>The closing reports of the finished epochs, in order.</summary>
    public IReadOnlyList<PretrainingProgress> Epochs => _epochs;

    /// <summary>Whether the last epoch is over.</summary>
    public bool IsCompleted => Latest is { EpochCompleted: true } latest && latest.Epoch == latest.NumberOfEpochs;

    /// <summary>Share of the run that is done, 0 to 1, by epochs and steps.</summary>
    public double Share
    {
        get
        {
            if (Latest is not { } latest)
                return 0;
            double inEpoch = latest.EpochCompleted ? 1
                : latest.NumberOfSteps is > 0 and { } steps ? Math.Min(1, (double)latest.Step / steps) : 0;
            return latest.Phase == PretrainingPhase.Training ? (latest.Epoch - 1 + inEpoch) / latest.NumberOfEpochs : 0;
        }
    }

    /// <summary>Takes in a report.</summary>
    public void Add(PretrainingProgress progress)
    {
        if (progress.Epoch <= 1 && Latest is { Epoch: > 1 })
            _epochs.Clear(); // another run begins with the same monitor
        Latest = progress;
        if (progress.EpochCompleted)
            _epochs.Add(progress);
    }
}
