using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Serialization;
using Ssl.Estimators.Training.Optimizers;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Checkpoints;

/// <summary>
/// The state of a run between two epochs in one safetensors file: weights and buffers, the optimizer's averages, the weights of the
/// lowest validation loss where there are any and they are not the current ones; in its header, as JSON, what run it is (see
/// <see cref="RunIdentity"/>), its history and random streams.
/// </summary>
internal static class Checkpoint
{
    private const string MetadataKey = "ssl.checkpoint";
    private const int Version = 3;
    private const string Weights = "weights/";
    private const string Average = "optimizer/average/";
    private const string SquareAverage = "optimizer/square_average/";
    private const string Best = "best/";
    private const string Identity = "identity";

    /// <summary>Finds out whether a checkpoint can be written, before the work whose state it is to hold.</summary>
    /// <param name="path">Where it is to be; null for nowhere.</param>
    /// <exception cref="IOException">It cannot.</exception>
    public static void RequireWritable(string? path)
    {
        if (path is not null)
            AtomicFile.RequireWritable(path);
    }

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
        if (HasBest(best.Epoch, state))
            tensors.AddRange(best.Tensors.Select(item => KeyValuePair.Create(Best + item.Key, item.Value)));
        var json = new JsonObject
        {
            ["version"] = Version,
            [Identity] = RunIdentity.Of(settings).ToJson(),
            ["state"] = state.ToJson(),
            ["bestEpoch"] = best.Epoch,
            ["optimizerSteps"] = updates,
            ["randomStreams"] = new JsonObject(streams.GetState()
                .Select(stream => KeyValuePair.Create(stream.Key, (JsonNode?)Convert.ToBase64String(stream.Value)))),
        };
        AtomicFile.Write(path, stream =>
            SafeTensors.Write(stream, tensors, new Dictionary<string, string> { [MetadataKey] = ExactText.ToJson(json) },
                checksums: true));
    }

    /// <summary>Reads a checkpoint and puts weights, optimizer, random streams and best weights back to where they were.</summary>
    /// <returns>How far the run had come.</returns>
    /// <exception cref="InvalidOperationException">The file is no checkpoint, is damaged, or is of another run.</exception>
    public static CheckpointState Read(string path, TrainingSettings settings, PretrainingMethod method, AdamWOptimizer optimizer,
        RandomStreams streams, BestWeights best)
    {
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            using FileStream file = File.OpenRead(path);
            (SafeTensorsReader reader, JsonObject json) = Open(file);
            if (!reader.HasChecksums)
                throw new FormatException("It lacks its checksums.");
            RunIdentity.Of(settings).RequireSameAs(RunIdentity.FromJson(json[Identity]!.AsObject()), path);
            CheckpointState state = CheckpointState.FromJson(json["state"]!.AsObject());
            int bestEpoch = (int)json["bestEpoch"]!;
            Dictionary<string, long> steps = optimizer.Parameters
                .ToDictionary(parameter => parameter.Name, parameter => (long)json["optimizerSteps"]![parameter.Name]!);
            Dictionary<string, byte[]> streamStates = json["randomStreams"]!.AsObject()
                .ToDictionary(stream => stream.Key, stream => Convert.FromBase64String((string)stream.Value!));
            RequireTensors(path, reader, Expected(method, optimizer, withBest: HasBest(bestEpoch, state)));
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
            if (HasBest(bestEpoch, state))
                best.Take(Part(tensors, Best), bestEpoch);
            else if (bestEpoch > 0)
                best.Take(method, bestEpoch);
            return state;
        }
        catch (Exception fault) when (IsContentFault(fault))
        {
            throw new InvalidOperationException($"The checkpoint '{path}' cannot be read: {JsonReading.Reason(fault)} Delete it to start anew, or "
                + "choose another CheckpointPath.", fault);
        }
        finally
        {
            foreach (Tensor tensor in tensors.Values)
                tensor.Dispose();
        }
    }

    /// <summary>
    /// The value of an identity in a checkpoint; null where there is no file, no such value, or nothing that can be read, which
    /// <see cref="Read"/> says with a sentence.
    /// </summary>
    /// <param name="path">The checkpoint.</param>
    /// <param name="name">Name of a value in <see cref="RunIdentity"/>.</param>
    public static string? Peek(string? path, string name)
    {
        if (path is null || !File.Exists(path))
            return null;
        try
        {
            using FileStream file = File.OpenRead(path);
            return RunIdentity.FromJson(Open(file).Json[Identity]!.AsObject()).Find(name);
        }
        catch (Exception fault) when (IsContentFault(fault))
        {
            return null;
        }
    }

    private static (SafeTensorsReader Reader, JsonObject Json) Open(FileStream file)
    {
        SafeTensorsReader reader = SafeTensorsReader.Open(file);
        if (!reader.Metadata.TryGetValue(MetadataKey, out string? text) || ExactText.Parse(text) is not JsonObject json)
            throw new FormatException("It has no training state: it holds weights of another kind.");
        var version = (int?)json["version"];
        if (version > Version)
        {
            throw new FormatException($"It was written by a newer version of this package, in format {version}; this one reads format "
                + $"{Version}. Update the package.");
        }
        if (version != Version)
            throw new FormatException($"It has format {version}, this version of the package reads format {Version}.");
        return (reader, json);
    }

    private static bool IsContentFault(Exception fault) => fault is FormatException or JsonException or NullReferenceException
        or ArgumentException or KeyNotFoundException or InvalidCastException or OverflowException;

    // Whether the weights of the lowest validation loss stand in the file beside those of now.
    private static bool HasBest(int bestEpoch, CheckpointState state) => bestEpoch > 0 && bestEpoch != state.Epochs.Count;

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
        $"CheckpointPath '{path}' holds a run of another network: {difference}. Delete the file, or set CheckpointPath to another one, to "
        + "start anew.");

    private static Dictionary<string, Tensor> Part(Dictionary<string, Tensor> tensors, string prefix) => tensors
        .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(item => item.Key[prefix.Length..], item => item.Value);
}
