using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using static TorchSharp.torch;

namespace Ssl.Estimators.Serialization.Onnx;

/// <summary>An ONNX file's nodes and weights, to be looked through; nothing is run.</summary>
internal sealed class OnnxGraph
{
    // What the nodes that are looked at have at least.
    private static readonly Dictionary<string, int> s_inputs = new()
    {
        ["Add"] = 2, ["AveragePool"] = 1, ["BatchNormalization"] = 5, ["Concat"] = 1, ["Conv"] = 2, ["GlobalAveragePool"] = 1, ["MatMul"] = 2, ["MaxPool"] = 1,
        ["ReduceMean"] = 1, ["Relu"] = 1, ["Reshape"] = 2, ["Sqrt"] = 1,
    };

    private readonly Dictionary<string, TensorProto> _weights = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<NodeProto>> _consumers = new(StringComparer.Ordinal);
    private readonly GraphProto _graph;

    private OnnxGraph(GraphProto graph, string producer)
    {
        (_graph, Producer) = (graph, producer);
        foreach (var weight in graph.Initializer)
            _weights[weight.Name] = weight;
        foreach (var node in graph.Node)
        {
            if (node.Input.Count < s_inputs.GetValueOrDefault(node.OpType) || node.Output.Count == 0)
                throw Damaged($"the {node.OpType} '{node.Name}' has {node.Input.Count} inputs and {node.Output.Count} outputs");
            foreach (var input in node.Input)
            {
                ref var consumers = ref CollectionsMarshal.GetValueRefOrAddDefault(_consumers, input, out _);
                (consumers ??= []).Add(node);
            }
            // So that no way through the graph is a circle.
            foreach (var output in node.Output.Where(name => name.Length > 0))
            {
                if (_consumers.ContainsKey(output) || !_producers.TryAdd(output, node))
                    throw Damaged($"'{output}' is taken before it is made, or made twice");
            }
        }
    }

    /// <summary>The program that wrote the file: "pytorch", "CNTK"; may be empty.</summary>
    public string Producer { get; }

    /// <summary>The nodes, in an order in which they can be computed.</summary>
    public IReadOnlyList<NodeProto> Nodes => _graph.Node;

    /// <summary>Names of the weights, in the order of the file.</summary>
    public IEnumerable<string> WeightNames => _graph.Initializer.Select(weight => weight.Name);

    /// <summary>Reads a file to its end.</summary>
    /// <param name="stream">The file; stays the caller's.</param>
    /// <exception cref="FormatException">It is no ONNX file, or damaged.</exception>
    public static OnnxGraph Read(Stream stream)
    {
        try
        {
            var model = ModelProto.Parser.ParseFrom(stream);
            if (model.Graph is not { Node.Count: > 0 } graph)
                throw new FormatException("The file is no ONNX model: it has no graph.");
            return new OnnxGraph(graph, model.ProducerName);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new FormatException($"The file is no ONNX model, or a damaged one ({e.Message.TrimEnd('.')}). Copy or download it again.", e);
        }
    }

    /// <summary>An attribute of a node, of whole numbers; null where it is left out.</summary>
    public static long[]? IntegersOf(NodeProto node, string attribute)
        => node.Attribute.FirstOrDefault(found => found.Name == attribute) is { } found ? found.Ints.Count > 0 ? [.. found.Ints] : [found.I] : null;

    /// <summary>An attribute of a node, of one number; null where it is left out.</summary>
    public static float? NumberOf(NodeProto node, string attribute) => node.Attribute.FirstOrDefault(found => found.Name == attribute)?.F;

    /// <summary>Whether a name is that of a weight.</summary>
    public bool IsWeight(string name) => _weights.ContainsKey(name);

    /// <summary>Sizes of a weight.</summary>
    /// <exception cref="FormatException">There is none of that name.</exception>
    public IReadOnlyList<long> ShapeOf(string weight) => _weights.TryGetValue(weight, out var found) ? found.Dims
        : throw new FormatException($"The graph has no weight '{weight}'.");

    /// <summary>The node that makes a value; null for inputs and weights.</summary>
    public NodeProto? ProducerOf(string value) => _producers.GetValueOrDefault(value);

    /// <summary>The nodes that take a value, in the order of the file.</summary>
    public IReadOnlyList<NodeProto> ConsumersOf(string value) => _consumers.GetValueOrDefault(value) ?? [];

    /// <summary>A weight, or what a Constant node gives, as a tensor of the caller's on the CPU; numbers with a point as Single.</summary>
    /// <exception cref="FormatException">Its values are not in the file, or of a type that is not read.</exception>
    public Tensor Values(string name)
    {
        var source = Find(name) ?? throw new FormatException($"The graph has no constant '{name}'.");
        var dims = source.Dims.ToArray();
        var type = source.DataType switch
        {
            TensorProto.Types.DataType.Float => ScalarType.Float32,
            TensorProto.Types.DataType.Double => ScalarType.Float64,
            TensorProto.Types.DataType.Float16 => ScalarType.Float16,
            TensorProto.Types.DataType.Bfloat16 => ScalarType.BFloat16,
            TensorProto.Types.DataType.Int64 => ScalarType.Int64,
            TensorProto.Types.DataType.Int32 => ScalarType.Int32,
            _ => throw new FormatException($"The weight '{name}' has the element type {source.DataType}; allowed are Float, Double, Float16, "
                + "Bfloat16, Int64 and Int32: a quantized file cannot be read, take the one with Float weights."),
        };
        if (source.DataLocation == TensorProto.Types.DataLocation.External)
        {
            throw new FormatException($"The values of weight '{name}' lie in a file beside the model (external data), which is not read. Take "
                + "the safetensors file of the same network, or save the ONNX file with all data inside.");
        }
        using var scope = NewDisposeScope();
        var tensor = empty(dims, type);
        var target = tensor.bytes;
        var values = source.RawData.Length > 0 ? source.RawData.Span
            : type == ScalarType.Float32 ? MemoryMarshal.AsBytes<float>(source.FloatData.ToArray())
            : type == ScalarType.Int64 ? MemoryMarshal.AsBytes<long>(source.Int64Data.ToArray())
            : type == ScalarType.Int32 ? MemoryMarshal.AsBytes<int>(source.Int32Data.ToArray()) : [];
        if (values.Length != target.Length)
        {
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"The weight '{name}' [{string.Join(", ", dims)}] needs ")
                + $"{target.Length} bytes, the file has {values.Length}. It is damaged.");
        }
        values.CopyTo(target);
        return (type is ScalarType.Int64 or ScalarType.Int32 ? tensor.to(ScalarType.Int64) : tensor.to(ScalarType.Float32))
            .DetachFromDisposeScope();
    }

    /// <summary>The whole numbers of a constant; null where the value is computed.</summary>
    public long[]? Integers(string name)
    {
        if (Find(name)?.DataType is not (TensorProto.Types.DataType.Int64 or TensorProto.Types.DataType.Int32))
            return null;
        using var values = Values(name);
        return [.. MemoryMarshal.Cast<byte, long>(values.bytes)];
    }

    /// <summary>The single number of a constant; null where the value is computed, or has several.</summary>
    public float? Number(string name)
    {
        if (Find(name)?.DataType is not (TensorProto.Types.DataType.Float or TensorProto.Types.DataType.Float16
            or TensorProto.Types.DataType.Double))
            return null;
        using var values = Values(name);
        return values.NumberOfElements == 1 ? MemoryMarshal.Cast<byte, float>(values.bytes)[0] : null;
    }

    private static FormatException Damaged(string what) => new($"The file is a damaged ONNX model: {what}. Copy or download it again.");

    private TensorProto? Find(string name) => _weights.GetValueOrDefault(name)
        ?? (ProducerOf(name) is { OpType: "Constant" } constant ? constant.Attribute.FirstOrDefault(a => a.Name == "value")?.T : null);
}
