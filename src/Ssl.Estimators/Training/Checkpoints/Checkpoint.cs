using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>
/// The state of a run between two epochs in one safetensors file: weights and buffers, the optimizer's averages, the best weights
/// where they are not the current ones; in its header, as JSON, settings, history and random streams.
/// </summary>
internal static class Checkpoint
{
    private const string MetadataKey = "ssl.checkpoint";
    private const int Version = 2;
    private const string Weights = "weights/";
    private const string Average = "optimizer/average/";
    private const string SquareAverage = "optimizer/square_average/";
    private const string Best = "best/";

    /// <summary>Writes a checkpoint: under a temporary name first, so that a whole one is at <paramref name="path"/> at any time.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, TrainingSettings settings, PretrainingMethod method, AdamWOptimizer optimizer,
        RandomStreams streams, BestWeights best, CheckpointState state)
    {
        var tensors = new List<KeyValuePair<string, Tensor>>();
        foreach ((string name, Tensor value) in method.state_dict())
            tensors.Add(new(Weights + name, value));
        var updates = new JsonObject();
        foreach (AdamWParameter parameter in optimizer.Parameters)
        {
            tensors.Add(new(Average + parameter.Name, parameter.Average));
            tensors.Add(new(SquareAverage + parameter.Name, parameter.SquareAverage));
            updates[parameter.Name] = parameter.Steps;
        }
        if (best.Epoch != state.Epochs.Count)
            tensors.AddRange(best.Tensors.Select(item => KeyValuePair.Create(Best + item.Key, item.Value)));
        var json = new JsonObject
        {
            ["version"] = Version,
            ["configuration"] = Configuration(settings),
            ["state"] = state.ToJson(),
            ["bestEpoch"] = best.Epoch,
            ["optimizerSteps"] = updates,
            ["randomStreams"] = new JsonObject(streams.GetState()
                .Select(stream => KeyValuePair.Create(stream.Key, (JsonNode?)Convert.ToBase64String(stream.Value)))),
        };
        AtomicFile.Write(path, stream =>
            SafeTensors.Write(stream, tensors, new Dictionary<string, string> { [MetadataKey] = json.ToJsonString() },
                checksums: true));
    }

    /// <summary>Reads a checkpoint and puts weights, optimizer, random streams and best weights back to where they were.</summary>
    /// <returns>How far the run had come.</returns>
    /// <exception cref="InvalidOperationException">The file is no checkpoint, is damaged, or belongs to another configuration.</exception>
    public static CheckpointState Read(string path, TrainingSettings settings, PretrainingMethod method, AdamWOptimizer optimizer,
        RandomStreams streams, BestWeights best)
    {
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            using FileStream file = File.OpenRead(path);
            SafeTensorsReader reader = SafeTensorsReader.Open(file);
            if (!reader.Metadata.TryGetValue(MetadataKey, out string? text) || JsonNode.Parse(text) is not JsonObject json)
                throw new FormatException("It has no training state: it holds weights of another kind.");
            if ((int?)json["version"] != Version)
                throw new FormatException($"It has version {json["version"]}, this one reads version {Version}.");
            if (!reader.HasChecksums)
                throw new FormatException("It lacks its checksums.");
            RequireConfiguration(path, json["configuration"]!.AsObject(), Configuration(settings));
            CheckpointState state = CheckpointState.FromJson(json["state"]!.AsObject());
            int bestEpoch = (int)json["bestEpoch"]!;
            Dictionary<string, long> steps = optimizer.Parameters
                .ToDictionary(parameter => parameter.Name, parameter => (long)json["optimizerSteps"]![parameter.Name]!);
            Dictionary<string, byte[]> streamStates = json["randomStreams"]!.AsObject()
                .ToDictionary(stream => stream.Key, stream => Convert.FromBase64String((string)stream.Value!));
            RequireTensors(path, reader, Expected(method, optimizer, withBest: bestEpoch != state.Epochs.Count));
            tensors = reader.ReadAll();

            // Everything is read and compared: only now is anything changed.
            streams.SetState(streamStates);
            BestWeights.Copy(Part(tensors, Weights), method);
            foreach (AdamWParameter parameter in optimizer.Parameters)
            {
                using var noGrad = no_grad();
                using var scope = NewDisposeScope();
                parameter.Average.copy_(tensors[Average + parameter.Name]);
                parameter.SquareAverage.copy_(tensors[SquareAverage + parameter.Name]);
                parameter.Steps = steps[parameter.Name];
            }
            if (bestEpoch == state.Epochs.Count)
                best.Take(method, bestEpoch);
            else
                best.Take(Part(tensors, Best), bestEpoch);
            return state;
        }
        catch (Exception fault) when (fault is FormatException or JsonException or NullReferenceException or ArgumentException
            or KeyNotFoundException or InvalidCastException or OverflowException)
        {
            throw new InvalidOperationException($"The checkpoint '{path}' cannot be read: {fault.Message} Delete it to start anew, or "
                + "choose another CheckpointPath.", fault);
        }
        finally
        {
            foreach (Tensor tensor in tensors.Values)
                tensor.Dispose();
        }
    }

    // What must be the same for the resumed run to be the run that was interrupted.
    private static JsonObject Configuration(TrainingSettings settings) => new()
    {
        [nameof(TrainingSettings.NumberOfEpochs)] = Text(settings.NumberOfEpochs),
        [nameof(TrainingSettings.BatchSize)] = Text(settings.BatchSize),
        [nameof(TrainingSettings.LearningRate)] = Text(settings.LearningRate),
        [nameof(TrainingSettings.WeightDecay)] = Text(settings.WeightDecay),
        [nameof(TrainingSettings.WarmupFraction)] = Text(settings.WarmupFraction),
        [nameof(TrainingSettings.GradientClipNorm)] = Text(settings.GradientClipNorm),
        [nameof(TrainingSettings.Beta1)] = Text(settings.Beta1),
        [nameof(TrainingSettings.Beta2)] = Text(settings.Beta2),
        [nameof(TrainingSettings.Epsilon)] = Text(settings.Epsilon),
        [nameof(TrainingSettings.MixedPrecision)] = settings.MixedPrecision.ToString(),
        [nameof(TrainingSettings.MaximumTrainingTime)] = settings.MaximumTrainingTime?.ToString() ?? "null",
        [nameof(TrainingSettings.Configuration)] = settings.Configuration,
    };

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static void RequireConfiguration(string path, JsonObject stored, JsonObject wanted)
    {
        string[] differences = [.. wanted
            .Where(item => (string?)stored[item.Key] != (string?)item.Value)
            .Select(item => $"{item.Key} {(string?)stored[item.Key]} (now {(string?)item.Value})")];
        if (differences.Length > 0)
            throw Foreign(path, $"it was made with {string.Join(", ", differences)}");
    }

    private static Dictionary<string, Tensor> Expected(PretrainingMethod method, AdamWOptimizer optimizer, bool withBest)
    {
        Dictionary<string, Tensor> weights = method.state_dict();
        var expected = weights.ToDictionary(item => Weights + item.Key, item => item.Value);
        if (withBest)
        {
            foreach ((string name, Tensor value) in weights)
                expected[Best + name] = value;
        }
        foreach (AdamWParameter parameter in optimizer.Parameters)
        {
            expected[Average + parameter.Name] = parameter.Average;
            expected[SquareAverage + parameter.Name] = parameter.SquareAverage;
        }
        return expected;
    }

    private static void RequireTensors(string path, SafeTensorsReader reader, Dictionary<string, Tensor> expected)
    {
        foreach (SafeTensorsEntry entry in reader.Entries)
        {
            if (!expected.TryGetValue(entry.Name, out Tensor? tensor))
                throw Foreign(path, $"it has '{entry.Name}', which this network has not");
            if (!tensor.shape.SequenceEqual(entry.Shape))
                throw Foreign(path, $"its '{entry.Name}' is {entry.ShapeText}, here [{string.Join(", ", tensor.shape)}]");
            if (tensor.dtype != entry.Type)
                throw Foreign(path, $"its '{entry.Name}' has values of type {entry.Type}, here {tensor.dtype}");
        }
        if (expected.Keys.Except(reader.Entries.Select(entry => entry.Name)).FirstOrDefault() is { } missing)
            throw Foreign(path, $"it lacks '{missing}'");
    }

    private static InvalidOperationException Foreign(string path, string difference) => new(
        $"The checkpoint '{path}' belongs to another configuration: {difference}. Use the same settings to continue it, choose another "
        + "CheckpointPath, or delete the file to start anew.");

    private static Dictionary<string, Tensor> Part(Dictionary<string, Tensor> tensors, string prefix) => tensors
        .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(item => item.Key[prefix.Length..], item => item.Value);
}
