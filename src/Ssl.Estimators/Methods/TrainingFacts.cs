using System.Text.Json.Nodes;

namespace Ssl.Estimators.Methods;

/// <summary>How an encoder was trained, in the words of the archive's manifest.</summary>
internal static class TrainingFacts
{
    /// <summary>What the rows of the training lost because the encoder takes no more; only where they can.</summary>
    public const string TruncationKey = "truncation";

    /// <summary>The options that are not their defaults, in words.</summary>
    public const string OptionsKey = "options";

    /// <summary>The seed that was used.</summary>
    public const string SeedKey = "seed";

    /// <summary>Makes them.</summary>
    /// <param name="trainer">The estimator.</param>
    /// <param name="result">What was done; null where nothing was trained.</param>
    /// <param name="wasCanceled">Whether nothing was trained because the caller canceled before.</param>
    public static JsonObject Of(string trainer, TrainingResult? result, bool wasCanceled = false) => new()
    {
        ["trainer"] = trainer,
        ["epochs"] = result?.EpochsCompleted ?? 0,
        ["steps"] = result?.StepsCompleted ?? 0,
        ["loss"] = result is { FinalLoss: var loss } && double.IsFinite(loss) ? loss : null,
        ["seconds"] = result?.Elapsed.TotalSeconds ?? 0,
        ["end"] = (result?.End ?? (wasCanceled ? TrainingEnd.Canceled : TrainingEnd.Completed)).ToString(),
        [TrainingHistory.FactName] = result?.History.ToJson(),
    };
}
