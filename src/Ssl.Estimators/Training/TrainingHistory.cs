using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Training;

namespace Ssl.Estimators;

/// <summary>How the losses of a training went: for a plot, or to see whether it was long enough.</summary>
/// <param name="Steps">
/// The steps in order. Of a long training each entry stands for several, so that there are never more than
/// <see cref="MaximumSteps"/>; empty for an encoder that was loaded, since files keep the epochs alone.
/// </param>
/// <param name="Epochs">The finished epochs in order. An encoder file keeps at most <see cref="MaximumSavedEpochs"/> of them.</param>
/// <param name="BestEpoch">
/// The epoch, from 1, whose weights were kept: that of the lowest validation loss; <see langword="null"/> where no rows were kept aside, so
/// that the weights are the last ones. One more than the finished epochs where the time limit ended the best one early.
/// </param>
public sealed record TrainingHistory(IReadOnlyList<TrainingStep> Steps, IReadOnlyList<EpochSummary> Epochs, int? BestEpoch)
{
    /// <summary>The most entries of <see cref="Steps"/>.</summary>
    public const int MaximumSteps = 4096;

    /// <summary>The most epochs that an encoder file keeps: of more, every second, third and so on, and the last.</summary>
    public const int MaximumSavedEpochs = 512;

    /// <summary>Its place among the facts about a training in an encoder file.</summary>
    internal const string FactName = "history";

    private const string BestKey = "bestEpoch", EpochsKey = "epochs";

    /// <summary>The epochs in JSON; the steps are left out.</summary>
    internal JsonObject ToJson()
    {
        int every = (Epochs.Count + MaximumSavedEpochs - 1) / MaximumSavedEpochs;
        return new JsonObject
        {
            [BestKey] = BestEpoch,
            [EpochsKey] = new JsonArray([.. Epochs
                .Where((_, i) => (Epochs.Count - 1 - i) % every == 0)
                .Select(TrainingJson.Write)]),
        };
    }

    /// <summary>Reads what <see cref="ToJson"/> wrote; null where there is nothing.</summary>
    /// <exception cref="FormatException">It has another form.</exception>
    internal static TrainingHistory? FromJson(JsonNode? json)
    {
        if (json is null)
            return null;
        try
        {
            return new TrainingHistory([], [.. json[EpochsKey]!.AsArray().Select(epoch => TrainingJson.ReadEpoch(epoch!))],
                (int?)json[BestKey]);
        }
        catch (Exception fault) when (fault is InvalidOperationException or NullReferenceException or OverflowException
            or ArgumentException)
        {
            throw new FormatException($"The history of the encoder's training cannot be read: {JsonReading.Reason(fault)} The file is damaged.", fault);
        }
    }
}

/// <summary>One step of a training, or the mean of several that follow each other.</summary>
/// <param name="Step">The (last) step, counted from 1 over the whole training.</param>
/// <param name="Epoch">Its epoch, from 1.</param>
/// <param name="Count">Steps that the entry stands for.</param>
/// <param name="Loss">Mean of their losses.</param>
/// <param name="Terms">The named parts of the loss, averaged like <paramref name="Loss"/>.</param>
/// <param name="LearningRate">Learning rate of the (last) step.</param>
/// <param name="EmbeddingSpread">Last embedding spread (see <see cref="PretrainingProgress"/>), or <see langword="null"/>.</param>
public sealed record TrainingStep(long Step, int Epoch, int Count, double Loss, IReadOnlyDictionary<string, double> Terms,
    double LearningRate, double? EmbeddingSpread);
