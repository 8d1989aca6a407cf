using System.Text.Json.Nodes;

namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>How far a run had come when its checkpoint was written; the tensors and random streams are put back in place.</summary>
/// <param name="Epochs">The finished epochs.</param>
/// <param name="Steps">Optimizer steps done.</param>
/// <param name="Elapsed">Training time.</param>
/// <param name="BestValidation">The lowest validation loss; null where there is none.</param>
internal sealed record CheckpointState(IReadOnlyList<EpochSummary> Epochs, long Steps, TimeSpan Elapsed, double? BestValidation = null)
{
    /// <summary>Writes the state as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        ["steps"] = Steps,
        ["elapsedTicks"] = Elapsed.Ticks,
        ["bestValidation"] = BestValidation is { } best && double.IsFinite(best) ? best : null,
        ["epochs"] = new JsonArray([.. Epochs.Select(ToJson)]),
    };

    /// <summary>Reads what <see cref="ToJson()"/> wrote.</summary>
    public static CheckpointState FromJson(JsonObject json) => new(
        [.. json["epochs"]!.AsArray().Select(epoch => FromJson((JsonNode)epoch!))],
        (long)json["steps"]!,
        new TimeSpan((long)json["elapsedTicks"]!),
        (double?)json["bestValidation"]);

    // NaN has no place in JSON numbers; the loss of a finished epoch is finite, so only the spread may be absent.
    private static JsonNode ToJson(EpochSummary epoch) => new JsonObject
    {
        ["epoch"] = epoch.Epoch,
        ["steps"] = epoch.Steps,
        ["samples"] = epoch.Samples,
        ["loss"] = epoch.Loss,
        ["terms"] = new JsonObject(epoch.Terms.Select(term => KeyValuePair.Create(term.Key, (JsonNode?)term.Value))),
        ["learningRate"] = epoch.LearningRate,
        ["samplesPerSecond"] = epoch.SamplesPerSecond,
        ["embeddingSpread"] = epoch.EmbeddingSpread,
    };

    private static EpochSummary FromJson(JsonNode json) => new(
        (int)json["epoch"]!,
        (long)json["steps"]!,
        (long)json["samples"]!,
        (double)json["loss"]!,
        json["terms"]!.AsObject().ToDictionary(term => term.Key, term => (double)term.Value!),
        (double)json["learningRate"]!,
        (double)json["samplesPerSecond"]!,
        (double?)json["embeddingSpread"]);
}
