namespace Ssl.Estimators.Training;

/// <summary>What share of a run is done, from its epochs, steps and time: the x-axis of the schedule.</summary>
/// <remarks>
/// The steps of an epoch come from the row count at first and from the finished epochs later. Where neither is known (the first
/// epoch of a streamed run) the share inside the epoch is s / (s + <see cref="UnknownEpochSteps"/>) after s steps: it rises
/// without ever passing the epoch's end. With a time limit the larger of this share and the time share counts.
/// </remarks>
/// <param name="numberOfEpochs">Epochs of the run.</param>
/// <param name="expectedSteps">Steps an epoch should have, or <see langword="null"/>.</param>
/// <param name="timeLimit">Longest duration of the run, or <see langword="null"/>.</param>
internal sealed class RunLength(int numberOfEpochs, long? expectedSteps, TimeSpan? timeLimit)
{
    /// <summary>Steps after which an epoch of unknown length counts as half done.</summary>
    public const long UnknownEpochSteps = 500;

    /// <summary>Steps an epoch has, or <see langword="null"/> while unknown.</summary>
    public long? StepsPerEpoch { get; private set; } = expectedSteps is > 0 ? expectedSteps : null;

    /// <summary>Takes the length of a finished epoch for all that follow.</summary>
    public void EpochCompleted(long steps) => StepsPerEpoch = steps > 0 ? steps : StepsPerEpoch;

    /// <summary>The share of the run that is done, 0 to 1.</summary>
    /// <param name="epochsDone">Finished epochs.</param>
    /// <param name="stepsInEpoch">Steps done in the epoch under way; x.5 for the middle of a step.</param>
    /// <param name="elapsed">Time since the run began.</param>
    public double Share(int epochsDone, double stepsInEpoch, TimeSpan elapsed)
    {
        double inEpoch = StepsPerEpoch is { } steps
            ? Math.Min(1, stepsInEpoch / steps)
            : stepsInEpoch / (stepsInEpoch + UnknownEpochSteps);
        double share = (epochsDone + inEpoch) / numberOfEpochs;
        if (timeLimit is { } limit)
            share = Math.Max(share, elapsed / limit);
        return Math.Min(1, share);
    }

    /// <summary>Time to the end at the pace so far, or <see langword="null"/> where there is nothing to go by.</summary>
    /// <param name="epochsDone">Finished epochs.</param>
    /// <param name="stepsInEpoch">Steps done in the epoch under way.</param>
    /// <param name="elapsed">Time since the run began.</param>
    public TimeSpan? Remaining(int epochsDone, long stepsInEpoch, TimeSpan elapsed)
    {
        TimeSpan? left = null;
        double stepShare = (epochsDone + (StepsPerEpoch is { } steps ? Math.Min(1, (double)stepsInEpoch / steps) : 0)) / numberOfEpochs;
        if (stepShare > 0 && (StepsPerEpoch is not null || stepsInEpoch == 0))
            left = elapsed * ((1 - stepShare) / stepShare);
        if (timeLimit is { } limit)
        {
            TimeSpan untilLimit = limit > elapsed ? limit - elapsed : TimeSpan.Zero;
            left = left is { } byPace && byPace < untilLimit ? byPace : untilLimit;
        }
        return left;
    }
}
