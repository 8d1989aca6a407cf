using System.Text.Json.Nodes;

namespace Ssl.Estimators.Training;

/// <summary>Epochs and steps as JSON, the same in checkpoints and in encoder files.</summary>
internal static class TrainingJson
{
    public static JsonNode Write(EpochSummary epoch) => new JsonObject
    {
        ["epoch"] = epoch.Epoch,
        ["steps"] = epoch.Steps,
        ["samples"] = epoch.Samples,
        ["loss"] = Number(epoch.Loss),
        ["terms"] = Write(epoch.Terms),
        ["learningRate"] = epoch.LearningRate,
        ["samplesPerSecond"] = epoch.SamplesPerSecond,
        ["embeddingSpread"] = epoch.EmbeddingSpread is { } spread ? Number(spread) : null,
        ["validated"] = epoch.ValidationLoss is not null,
        ["validationLoss"] = epoch.ValidationLoss is { } validation ? Number(validation) : null,
    };

    public static EpochSummary ReadEpoch(JsonNode json) => new(
        (int)json["epoch"]!,
        (long)json["steps"]!,
        (long)json["samples"]!,
        Number(json["loss"]),
        ReadTerms(json["terms"]!),
        (double)json["learningRate"]!,
        (double)json["samplesPerSecond"]!,
        (double?)json["embeddingSpread"],
        (bool)json["validated"]! ? Number(json["validationLoss"]) : null);

    public static JsonNode Write(TrainingStep step) => new JsonObject
    {
        ["step"] = step.Step,
        ["epoch"] = step.Epoch,
        ["count"] = step.Count,
        ["loss"] = Number(step.Loss),
        ["terms"] = Write(step.Terms),
        ["learningRate"] = step.LearningRate,
        ["embeddingSpread"] = step.EmbeddingSpread is { } spread ? Number(spread) : null,
    };

    public static TrainingStep ReadStep(JsonNode json) => new(
        (long)json["step"]!,
        (int)json["epoch"]!,
        (int)json["count"]!,
        Number(json["loss"]),
        ReadTerms(json["terms"]!),
        (double)json["learningRate"]!,
        (double?)json["embeddingSpread"]);

    private static JsonObject Write(IReadOnlyDictionary<string, double> terms)
        => new(terms.Select(term => KeyValuePair.Create(term.Key, Number(term.Value))));

    private static Dictionary<string, double> ReadTerms(JsonNode json)
        => json.AsObject().ToDictionary(term => term.Key, term => Number(term.Value));

    // NaN and infinity have no place in JSON numbers; null is read as NaN.
    private static JsonNode? Number(double value) => double.IsFinite(value) ? value : null;

    private static double Number(JsonNode? json) => (double?)json ?? double.NaN;
}
