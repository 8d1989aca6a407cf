using System.Text.Json.Nodes;

namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>How far a run had come when its checkpoint was written; the tensors and random streams are put back in place.</summary>
/// <param name="Epochs">The finished epochs.</param>
/// <param name="StepHistory">What the run remembers of its steps.</param>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="Elapsed">Training time.</param>
internal sealed record CheckpointState(IReadOnlyList<EpochSummary> Epochs, IReadOnlyList<TrainingStep> StepHistory, long Steps,
    TimeSpan Elapsed)
{
    // Further hours can be added to it.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(100 * 365);

    /// <summary>Writes the state as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["steps"] = Steps,
        ["elapsedTicks"] = Elapsed.Ticks,
        ["epochs"] = new JsonArray([.. Epochs.Select(TrainingJson.Write)]),
        ["stepHistory"] = new JsonArray([.. StepHistory.Select(TrainingJson.Write)]),
    };

    /// <summary>Reads what <see cref="ToJson()"/> wrote.</summary>
    /// <exception cref="FormatException">A number is one that no run has.</exception>
    public static CheckpointState FromJson(JsonObject json)
    {
        var (steps, ticks) = ((long)json["steps"]!, (long)json["elapsedTicks"]!);
        if (steps < 0 || ticks < 0 || ticks > s_longest.Ticks)
            throw new FormatException($"A run of {steps} steps and {ticks} ticks cannot have been.");
        return new(
            [.. json["epochs"]!.AsArray().Select(epoch => TrainingJson.ReadEpoch(epoch!))],
            [.. json["stepHistory"]!.AsArray().Select(step => TrainingJson.ReadStep(step!))],
            steps, new TimeSpan(ticks));
    }
}
