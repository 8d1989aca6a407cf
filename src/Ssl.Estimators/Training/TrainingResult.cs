namespace Ssl.Estimators.Training;

/// <summary>Why a run ended.</summary>
public enum TrainingEnd
{
    /// <summary>All epochs are done.</summary>
    Completed,

    /// <summary><see cref="TrainingSettings.MaximumTrainingTime"/> was over.</summary>
    TimeLimit,

    /// <summary>The caller cancelled; the method holds the best weights so far.</summary>
    Cancelled,

    /// <summary>The validation loss stopped falling; the method holds the weights of the epoch where it was lowest.</summary>
    EarlyStopped,
}

/// <summary>One finished epoch.</summary>
/// <param name="Epoch">Its number, from 1.</param>
/// <param name="Steps">Steps it had.</param>
/// <param name="Samples">Rows it saw.</param>
/// <param name="Loss">Mean loss over its rows.</param>
/// <param name="Terms">The named parts of the loss, averaged like <paramref name="Loss"/>.</param>
/// <param name="LearningRate">Learning rate of its last step.</param>
/// <param name="SamplesPerSecond">Rows a second.</param>
/// <param name="EmbeddingSpread">Mean embedding spread (see <see cref="PretrainingProgress"/>), or <see langword="null"/>.</param>
public sealed record EpochSummary(int Epoch, long Steps, long Samples, double Loss, IReadOnlyDictionary<string, double> Terms,
    double LearningRate, double SamplesPerSecond, double? EmbeddingSpread);

/// <summary>What a run did. The weights are in the method that was trained.</summary>
/// <param name="End">Why the run ended.</param>
/// <param name="EpochsCompleted">Epochs finished, those before a resume included.</param>
/// <param name="StepsCompleted">Optimizer steps done, those before a resume included.</param>
/// <param name="FinalLoss">Mean loss of the last finished epoch; before the first is over, of the steps so far; NaN without any.</param>
/// <param name="BestLoss">Lowest mean loss of a finished epoch, or <paramref name="FinalLoss"/> where none is finished.</param>
/// <param name="BestEpoch">The epoch of <paramref name="BestLoss"/>, from 1; 0 where none is finished.</param>
/// <param name="Epochs">The finished epochs in order.</param>
/// <param name="Elapsed">Training time, the part before a resume included.</param>
/// <param name="EmbeddingSpread">Last embedding spread (see <see cref="PretrainingProgress"/>), or <see langword="null"/>.</param>
public sealed record TrainingResult(TrainingEnd End, int EpochsCompleted, long StepsCompleted, double FinalLoss, double BestLoss,
    int BestEpoch, IReadOnlyList<EpochSummary> Epochs, TimeSpan Elapsed, double? EmbeddingSpread)
{
    /// <summary>Whether the caller cancelled the run.</summary>
    public bool Cancelled => End == TrainingEnd.Cancelled;
}
