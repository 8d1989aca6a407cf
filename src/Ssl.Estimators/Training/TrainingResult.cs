using Ssl.Estimators.Training;

namespace Ssl.Estimators;

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs are done.</summary>
    Completed,

    /// <summary><see cref="TrainingSettings.MaximumTrainingTime"/> was over; the method holds what it holds when canceled.</summary>
    TimeLimit,

    /// <summary>
    /// The caller canceled. The method holds the weights of the epoch with the lowest validation loss or, where nothing was validated,
    /// those of the last step.
    /// </summary>
    Canceled,

    /// <summary>The validation loss stopped falling; the method holds the weights of the epoch where it was lowest.</summary>
    EarlyStopped,
}

/// <summary>One finished epoch.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Steps">Steps it had.</param>
/// <param name="Samples">Rows it saw.</param>
/// <param name="Loss">Mean loss over its rows, measured while training: how well the weights learned, not how good they are.</param>
/// <param name="Terms">The named parts of the loss, averaged like <paramref name="Loss"/>.</param>
/// <param name="LearningRate">Learning rate of its last step.</param>
/// <param name="SamplesPerSecond">Rows a second.</param>
/// <param name="EmbeddingSpread">Mean embedding spread (see <see cref="PretrainingProgress"/>), or <see langword="null"/>.</param>
/// <param name="ValidationLoss">
/// Loss after the epoch on rows that training does not see; NaN where it was not a number; <see langword="null"/> where no rows are kept
/// aside.
/// </param>
public sealed record EpochSummary(int Epoch, long Steps, long Samples, double Loss, IReadOnlyDictionary<string, double> Terms,
    double LearningRate, double SamplesPerSecond, double? EmbeddingSpread, double? ValidationLoss = null);

/// <summary>What a run did. The weights are in the method that was trained.</summary>
/// <param name="End">Why the run ended.</param>
/// <param name="StepsCompleted">Optimizer steps done, those before a resume included.</param>
/// <param name="FinalLoss">
/// Mean training loss of the last finished epoch; before the first is over, of the steps so far; NaN without any.
/// </param>
/// <param name="BestValidationLoss">
/// Lowest loss on the rows kept aside; <see langword="null"/> where nothing was validated. The method then holds the weights of
/// <see cref="BestEpoch"/>; else those of the last step.
/// </param>
/// <param name="History">How the losses went.</param>
/// <param name="Elapsed">Training time, the part before a resume included.</param>
/// <param name="EmbeddingSpread">Last embedding spread (see <see cref="PretrainingProgress"/>), or <see langword="null"/>.</param>
public sealed record TrainingResult(TrainingEnd End, long StepsCompleted, double FinalLoss, double? BestValidationLoss,
    TrainingHistory History, TimeSpan Elapsed, double? EmbeddingSpread)
{
    /// <summary>Whether the caller canceled the run.</summary>
    public bool Canceled => End == TrainingEnd.Canceled;

    /// <summary>The finished epochs in order, those before a resume included.</summary>
    public IReadOnlyList<EpochSummary> Epochs => History.Epochs;

    /// <summary>Epochs finished, those before a resume included.</summary>
    public int EpochsCompleted => Epochs.Count;

    /// <summary>The epoch, from 1, whose weights the method holds; <see langword="null"/> where they are those of the last step.</summary>
    public int? BestEpoch => History.BestEpoch;
}
