namespace Ssl.Estimators;

/// <summary>Where a pretraining run stands: what <see cref="IProgress{T}"/> receives a few times a second and after each epoch.</summary>
/// <remarks>
/// Before the first step, where that takes longer than a quarter of a second, <see cref="Phase"/> tells what is done, and
/// <see cref="RowsRead"/> or <see cref="TokensLearned"/> how far it is; the epoch is 0 then, and the loss NaN.
/// </remarks>
/// <param name="Epoch">The epoch under way, from 1; 0 before the training.</param>
/// <param name="NumberOfEpochs">Epochs in all.</param>
/// <param name="Step">Steps done in this epoch.</param>
/// <param name="NumberOfSteps">Steps in this epoch; <see langword="null"/> while it is unknown (the first epoch of a streamed run).</param>
/// <param name="Loss">Mean loss since the last report or, when <paramref name="EpochCompleted"/>, over the whole epoch.</param>
/// <param name="Terms">The named parts of the loss, averaged like <paramref name="Loss"/>.</param>
/// <param name="LearningRate">Learning rate of the last step.</param>
/// <param name="SamplesPerSecond">
/// Rows a second since the last report or, when <paramref name="EpochCompleted"/>, over the epoch; rows read a second before the training.
/// </param>
/// <param name="Elapsed">Time since the run began, a resumed run's earlier part included.</param>
/// <param name="Remaining">Estimated time to the end of the run; <see langword="null"/> while there is nothing to estimate from.</param>
/// <param name="EmbeddingSpread">
/// Standard deviation of the L2-normalized embeddings times the square root of their dimension: about 1 for directions spread
/// evenly, 0 when all embeddings are equal; <see langword="null"/> where the method gives no embeddings.
/// </param>
/// <param name="EpochCompleted">Whether this report closes the epoch.</param>
/// <param name="ValidationLoss">
/// Loss after the epoch on the rows kept aside, in the report that closes it; <see langword="null"/> in others, and where no rows are kept
/// aside.
/// </param>
public sealed record PretrainingProgress(
    int Epoch,
    int NumberOfEpochs,
    long Step,
    long? NumberOfSteps,
    double Loss,
    IReadOnlyDictionary<string, double> Terms,
    double LearningRate,
    double SamplesPerSecond,
    TimeSpan Elapsed,
    TimeSpan? Remaining,
    double? EmbeddingSpread,
    bool EpochCompleted,
    double? ValidationLoss = null)
{
    /// <summary>What is done: steps, or what comes before the first.</summary>
    public PretrainingPhase Phase { get; init; }

    /// <summary>Rows read so far, while rows are read before the training; they may be read several times.</summary>
    public long RowsRead { get; init; }

    /// <summary>Tokens learned so far, while a tokenizer is trained.</summary>
    public int TokensLearned { get; init; }
}
