using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Copies weights of files into a network.</summary>
internal static class PretrainedFill
{
    private const int NamedFaults = 8;

    /// <summary>Copies all of them, once all names and sizes were compared.</summary>
    /// <param name="targets">The network's tensors by their names.</param>
    /// <param name="weights">Those of the files.</param>
    /// <param name="namesOf">
    /// How the files name a tensor of the network: one name; several, of tensors that stand above each other there; none where it keeps what it has.
    /// </param>
    /// <param name="mayRemain">Whether a weight belongs to a part that is not taken, such as the head of a pretraining.</param>
    /// <param name="what">The kind of network, for sentences.</param>
    /// <exception cref="FormatException">A weight is missing, has another size, or is one that the network does not have.</exception>
    public static void Copy(IReadOnlyDictionary<string, Tensor> targets, PretrainedWeights weights, Func<string, string[]> namesOf,
        Predicate<string> mayRemain, string what)
    {
        var faults = new List<string>();
        var sources = targets.ToDictionary(target => target.Key, target => namesOf(target.Key)).Where(source => source.Value.Length > 0).ToArray();
        foreach (var (parameter, names) in sources)
        {
            long[] shape = [.. targets[parameter].shape];
            if (names.Length > 1)
                shape[0] /= names.Length;
            foreach (var name in names)
            {
                if (weights[name] is not { } found)
                    faults.Add($"'{name}' is missing");
                else if (!found.shape.AsSpan().SequenceEqual(shape))
                    faults.Add($"'{name}' is [{string.Join(", ", found.shape)}], expected [{string.Join(", ", shape)}]");
            }
        }
        if (faults.Count > 0)
        {
            throw new FormatException($"The weights in '{weights.Path}' are not those of a {what} of these sizes: {string.Join("; ",
                faults.Take(NamedFaults))}{(faults.Count > NamedFaults ? $"; and {faults.Count - NamedFaults} more" : "")}.");
        }
        var unknown = weights.Names.Except(sources.SelectMany(source => source.Value)).Where(name => !mayRemain(name)).ToArray();
        if (unknown.Length > 0)
        {
            throw new FormatException($"'{weights.Path}' has the weights {string.Join(", ", unknown.Take(NamedFaults).Select(name => $"'{name}'"))}, which a "
                + $"{what} of these sizes does not have: config.json is another model's, or has settings that are not supported.");
        }
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (parameter, names) in sources)
        {
            var target = targets[parameter];
            if (names.Length == 1)
            {
                target.copy_(weights[names[0]]!);
                continue;
            }
            var rows = target.shape[0] / names.Length;
            for (var i = 0; i < names.Length; i++)
                target.narrow(0, i * rows, rows).copy_(weights[names[i]]!);
        }
    }
}
