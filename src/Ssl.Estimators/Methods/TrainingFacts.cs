using System.Text.Json.Nodes;
using Ssl.Estimators.Training;

namespace Ssl.Estimators.Methods;

/// <summary>How an encoder was trained, in the words of the archive's manifest.</summary>
internal static class TrainingFacts
{
    public static JsonObject Of(string trainer, TrainingResult? result) => new()
    {
        ["trainer"] = trainer,
        ["epochs"] = result?.EpochsCompleted ?? 0,
        ["steps"] = result?.StepsCompleted ?? 0,
        ["loss"] = result is { FinalLoss: var loss } && double.IsFinite(loss) ? loss : null,
        ["seconds"] = result?.Elapsed.TotalSeconds ?? 0,
        ["end"] = (result?.End ?? TrainingEnd.Completed).ToString(),
        [TrainingHistory.FactName] = result?.History.ToJson(),
    };
}
