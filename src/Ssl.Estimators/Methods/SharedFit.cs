using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Ssl.Estimators.Distributed;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training.Checkpoints;

namespace Ssl.Estimators.Methods;

/// <summary>What is particular about a Fit by several processes, beside its steps.</summary>
internal static class SharedFit
{
    // Of more differences than these the sentence tells the number.
    private const int NamedDifferences = 5;

    /// <summary>All processes begin the same Fit, or none does.</summary>
    /// <param name="group">The processes.</param>
    /// <param name="trainer">Whose Fit it is.</param>
    /// <param name="schema">Of the data.</param>
    /// <param name="settings">Of the trainer.</param>
    /// <param name="columns">That it trains on.</param>
    /// <param name="seed">This process's.</param>
    /// <param name="seedIsStated">Whether the user said it; else all take the first process's.</param>
    /// <returns>The seed of all.</returns>
    /// <exception cref="InvalidOperationException">Versions, methods, options, columns or seeds differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rows of a step cannot be shared evenly.</exception>
    public static long Begin(ProcessGroup group, PretrainingTrainer trainer, DataViewSchema schema, PretrainingOptions settings,
        IReadOnlyList<string> columns, long seed, bool seedIsStated)
    {
        group.Exchange(new RankMessage(RankCall.Fit));
        var identity = RunIdentity.OfOptions(settings).Set("Method", trainer.GetType().FullName)
            .Set("Version", trainer.GetType().Assembly.ManifestModule.ModuleVersionId).Set("Pack", typeof(SharedFit).Assembly.ManifestModule.ModuleVersionId)
            .Set(nameof(settings.NumberOfEpochs), settings.NumberOfEpochs).Set(nameof(group.CompressesGradients), group.CompressesGradients).Set(nameof(group.RowsAreDivided), group.RowsAreDivided)
            .Set(nameof(settings.CheckpointPath), settings.CheckpointPath).Set(nameof(settings.MaximumTrainingTime), settings.MaximumTrainingTime)
            .Set("Checkpoint", CheckpointOf(settings));
        foreach (var name in columns)
            identity.Set($"Column '{name}'", schema[name].Type.ToString());
        identity.Set("Seed is stated", seedIsStated);
        if (seedIsStated)
            identity.Set(nameof(settings.Seed), seed);
        var all = group.Communicator.Exchange(JsonSerializer.Serialize(new Dictionary<string, string>(identity.Values)))
            .Select(text => JsonSerializer.Deserialize<Dictionary<string, string>>(text)!).ToArray();
        for (var rank = 1; rank < all.Length; rank++)
        {
            if (Differences(all[0], all[rank]) is { } differences)
            {
                throw new InvalidOperationException($"The processes must make the same Fit, but process {rank} differs from process 0: {differences}. Start all "
                    + "of them with the same program, data, options and seed.");
            }
        }
        if (settings.BatchSize % group.Count != 0)
        {
            var (below, above) = (settings.BatchSize / group.Count * group.Count, (settings.BatchSize / group.Count + 1) * group.Count);
            throw new ArgumentOutOfRangeException(nameof(settings.BatchSize), $"BatchSize {settings.BatchSize} cannot be shared evenly by {group.Count} processes; "
                + $"it is the rows of a step of all of them. Set it to {(below > 0 ? $"{below} or {above}" : above)}.");
        }
        return long.Parse(group.Communicator.Exchange(seed.ToString(CultureInfo.InvariantCulture))[0], CultureInfo.InvariantCulture);
    }

    /// <summary>What the first process learned of its rows, in place of what this one learned of its own.</summary>
    /// <param name="group">The processes.</param>
    /// <param name="own">What this one learned.</param>
    /// <exception cref="InvalidOperationException">What was learned of images differs, or is of a kind that cannot be sent.</exception>
    public static RowFormat OfFirst(ProcessGroup group, RowFormat own)
    {
        var text = own.ToJson().ToJsonString();
        var first = group.Communicator.Exchange(group.IsFirst ? text : "")[0];
        if (first == text)
            return own;
        // What images look like on average is measured while they are read, which only the format that learned does.
        var format = own.Kind.Contains("image", StringComparison.OrdinalIgnoreCase) ? null
            : RowFormat.FromJson(own.Kind, JsonNode.Parse(first)!.AsObject(), own.Columns);
        return format ?? throw new InvalidOperationException("The rows of the processes are divided, and what was learned of this process's differs from the first "
            + $"one's, in a kind of column ('{own.Kind}') for which it cannot be taken over. State it in the options (PixelMaximum, Tokenizer), or give every "
            + "process the same data.");
    }

    /// <summary>Gives every process the first one's weights and statistics.</summary>
    public static void Equalize(ProcessGroup group, Encoder network)
    {
        foreach (var (_, parameter) in network.named_parameters())
            group.Communicator.Broadcast(parameter);
        foreach (var (_, buffer) in network.named_buffers())
            group.Communicator.Broadcast(buffer);
    }

    // All must go on from the same file: on several machines it lies in a folder that all of them see.
    private static string CheckpointOf(PretrainingOptions settings)
        => settings.CheckpointPath is { } path && File.Exists(path)
            ? string.Create(CultureInfo.InvariantCulture, $"a file of {new FileInfo(path).Length} bytes") : "none";

    internal static string? Differences(Dictionary<string, string> first, Dictionary<string, string> other)
    {
        string[] different = [.. first.Keys.Union(other.Keys).Where(name => first.GetValueOrDefault(name) != other.GetValueOrDefault(name))
            .Order(StringComparer.Ordinal).Select(name => $"{name} is {other.GetValueOrDefault(name) ?? "nothing"} in place of {first.GetValueOrDefault(name) ?? "nothing"}")];
        return different.Length == 0 ? null
            : string.Join(", ", different.Take(NamedDifferences)) + (different.Length > NamedDifferences ? $" and {different.Length - NamedDifferences} more" : "");
    }
}
