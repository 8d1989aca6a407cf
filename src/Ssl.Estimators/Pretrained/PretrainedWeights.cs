using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>The tensors of a pretrained network by their names in its files, on the CPU.</summary>
internal sealed class PretrainedWeights : IDisposable
{
    private const string SafeTensorsName = "model.safetensors", IndexName = "model.safetensors.index.json";

    private static readonly string[] s_otherNames = ["pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "model.gguf"];

    private readonly Dictionary<string, Tensor> _tensors;

    /// <summary>Weights with these tensors, which they own from then on.</summary>
    /// <param name="tensors">By name.</param>
    /// <param name="path">Where they were read, for sentences.</param>
    public PretrainedWeights(Dictionary<string, Tensor> tensors, string path)
    {
        // the names of BERT's first checkpoints
        _tensors = tensors.ToDictionary(pair => pair.Key.Replace("LayerNorm.gamma", "LayerNorm.weight", StringComparison.Ordinal)
            .Replace("LayerNorm.beta", "LayerNorm.bias", StringComparison.Ordinal), pair => pair.Value, StringComparer.Ordinal);
        Path = path;
    }

    /// <summary>Where they were read.</summary>
    public string Path { get; }

    /// <summary>All names.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Values of all tensors.</summary>
    public long ValueCount => _tensors.Values.Sum(tensor => tensor.numel());

    /// <summary>A tensor; it stays the weights'.</summary>
    /// <returns>Null where there is none of this name.</returns>
    public Tensor? this[string name] => _tensors.GetValueOrDefault(name);

    /// <summary>Reads the safetensors files of a folder: one, or several with an index.</summary>
    /// <exception cref="FileNotFoundException">There are none; what is there instead is named.</exception>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static PretrainedWeights ReadSafeTensors(PretrainedFiles files)
    {
        if (files.Has(SafeTensorsName))
            return new(files.Read(SafeTensorsName, ReadAll), files.PathOf(SafeTensorsName));
        if (files.ReadSettings(IndexName) is { } index)
            return ReadIndexed(files, index);
        var other = s_otherNames.FirstOrDefault(files.Has);
        throw new FileNotFoundException($"There is no {SafeTensorsName} in '{files.Place}', nor several with {IndexName}. " + (other is null
            ? "Get the whole folder of the model: git clone https://huggingface.co/<name> with git-lfs, or model.save_pretrained(folder) in Python."
            : $"Its weights are in {other}, which is not read: in Python, load the model and save it with "
                + "model.save_pretrained(folder, safe_serialization=True)."));
    }

    /// <summary>Moves names that begin with a prefix to names without it; others are dropped, unless none has it.</summary>
    public PretrainedWeights WithoutPrefix(string prefix)
    {
        if (prefix.Length == 0)
            return this;
        foreach (var name in _tensors.Keys.ToArray())
        {
            _tensors.Remove(name, out var tensor);
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                _tensors[name[prefix.Length..]] = tensor!;
            else
                tensor!.Dispose();
        }
        return this;
    }

    /// <summary>Puts another tensor, which the weights own from then on, in the place of one.</summary>
    public void Replace(string name, Tensor tensor)
    {
        _tensors[name].Dispose();
        _tensors[name] = tensor;
    }

    /// <summary>Names of the tensors in the safetensors files of a folder, whose values are not read; empty where there are no such files.</summary>
    /// <exception cref="FormatException">A file is damaged.</exception>
    public static IReadOnlyCollection<string> NamesIn(PretrainedFiles files)
        => files.Has(SafeTensorsName) ? files.Read(SafeTensorsName, stream => SafeTensorsReader.Open(stream).Entries.Select(entry => entry.Name).ToArray())
            : files.ReadSettings(IndexName)?["weight_map"] is JsonObject map ? [.. map.Select(entry => entry.Key)] : [];

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }

    private static PretrainedWeights ReadIndexed(PretrainedFiles files, PretrainedSettings index)
    {
        if (index["weight_map"] is not JsonObject map)
            throw index.Fault("weight_map", "an object of names and files");
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var file in map.Select(entry => (string?)entry.Value ?? "").Distinct().Order(StringComparer.Ordinal))
            {
                if (file.Length == 0 || file.AsSpan().IndexOfAny('/', '\\') >= 0)
                    throw index.Fault("weight_map", "names of files beside it");
                if (!files.Has(file))
                    throw new FileNotFoundException($"'{index.Path}' names '{file}', which is not there. Copy or download it.", files.PathOf(file));
                foreach (var (name, tensor) in files.Read(file, ReadAll))
                {
                    if (!tensors.TryAdd(name, tensor))
                        throw new FormatException($"'{files.PathOf(file)}' has the tensor '{name}', which another file of '{index.Path}' has, too.");
                }
            }
            string[] missing = [.. map.Select(entry => entry.Key).Where(name => !tensors.ContainsKey(name))];
            if (missing.Length > 0)
                throw new FormatException($"'{index.Path}' names the tensor '{missing[0]}', which is in none of its files.");
            return new(tensors, index.Path);
        }
        catch
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw;
        }
    }

    private static Dictionary<string, Tensor> ReadAll(Stream stream) => SafeTensorsReader.Open(stream).ReadAll();
}
