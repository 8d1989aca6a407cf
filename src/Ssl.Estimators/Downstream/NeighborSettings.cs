using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>What a fitted search must know beside the vectors.</summary>
/// <param name="InputColumn">The column of query vectors.</param>
/// <param name="NeighborsColumn">Takes the ids.</param>
/// <param name="ScoresColumn">Takes the similarities.</param>
/// <param name="NumberOfNeighbors">How many a query.</param>
internal sealed record NeighborSettings(string InputColumn, string NeighborsColumn, string ScoresColumn, int NumberOfNeighbors)
{
    /// <summary>Settings as somebody gave them.</summary>
    /// <param name="inputColumnName">The column of query vectors.</param>
    /// <param name="neighborsColumnName">Takes the ids.</param>
    /// <param name="scoresColumnName">Takes the similarities.</param>
    /// <param name="numberOfNeighbors">How many a query.</param>
    /// <param name="others">Checks what else was given.</param>
    /// <exception cref="ArgumentOutOfRangeException">Some are not allowed; all of them are named.</exception>
    public static NeighborSettings Checked(string inputColumnName, string neighborsColumnName, string scoresColumnName, int numberOfNeighbors,
        Action<OptionFaults>? others = null)
    {
        var faults = new OptionFaults().NotEmpty(inputColumnName).NotEmpty(neighborsColumnName).NotEmpty(scoresColumnName)
            .Require(neighborsColumnName != scoresColumnName, nameof(scoresColumnName), "must differ from neighborsColumnName", $"\"{scoresColumnName}\"")
            .InRange(numberOfNeighbors, 1, NearestNeighborsEstimator.MaximumNeighbors);
        others?.Invoke(faults);
        faults.ThrowIfAny();
        return new NeighborSettings(inputColumnName, neighborsColumnName, scoresColumnName, numberOfNeighbors);
    }

    /// <summary>For an archive.</summary>
    public JsonObject ToJson() => new()
    {
        ["input_column"] = InputColumn,
        ["neighbors_column"] = NeighborsColumn,
        ["scores_column"] = ScoresColumn,
        ["number_of_neighbors"] = NumberOfNeighbors,
    };

    /// <summary>From an archive.</summary>
    /// <exception cref="FormatException">The number of neighbors is not allowed, or a name is missing.</exception>
    public static NeighborSettings FromJson(JsonObject json)
    {
        var number = json["number_of_neighbors"]!.GetValue<int>();
        return number is < 1 or > NearestNeighborsEstimator.MaximumNeighbors
            ? throw new FormatException($"The saved neighbors are damaged: {number} are searched for, allowed are 1 to "
                + $"{NearestNeighborsEstimator.MaximumNeighbors}.")
            : new(json.Name("input_column"), json.Name("neighbors_column"), json.Name("scores_column"), number);
    }
}
