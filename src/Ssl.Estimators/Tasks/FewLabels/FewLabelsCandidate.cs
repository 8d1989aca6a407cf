using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators;

/// <summary>What was tried on the labeled rows, judged on rows that it had not seen.</summary>
/// <param name="Name">What it is, such as "linear" or "boosted trees".</param>
/// <param name="Settings">What was chosen for it by cross-validation, such as its penalty.</param>
/// <param name="Metric">
/// Of the rows kept out in cross-validation: the accuracy, from 0 to 1; in a regression the root of the mean squared error.
/// </param>
/// <param name="Loss">Of the same rows: the mean log-loss of the calibrated probabilities; in a regression the mean squared error.</param>
/// <param name="Share">How much it counts in the prediction, from 0 to 1. 0 where it did not pay.</param>
public sealed record FewLabelsCandidate(string Name, string Settings, double Metric, double Loss, double Share)
{
    internal JsonObject ToJson() => new()
    {
        ["name"] = Name, ["settings"] = Settings, ["metric"] = Metric, ["loss"] = Loss, ["share"] = Share,
    };

    internal static FewLabelsCandidate FromJson(JsonObject json) => new(json.Text("name"), json.Text("settings"),
        (double)json["metric"]!, (double)json["loss"]!, (double)json["share"]!);
}
