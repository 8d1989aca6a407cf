using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;
using Ssl.Estimators.Serialization.Onnx;
using static TorchSharp.torch;
using AttributeType = Ssl.Estimators.Serialization.Onnx.AttributeProto.Types.AttributeType;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Graph;

/// <summary>A graph under construction: its values are computed with like tensors (<see cref="OnnxValue"/>). Weights are copied.</summary>
internal sealed class OnnxBuilder
{
    /// <summary>The version of the operators, and that of the ones for texts and trees.</summary>
    public const int Opset = 17, TraditionalOpset = 3;

    /// <summary>The operators for texts and trees: a domain of its own.</summary>
    public const string TraditionalDomain = "ai.onnx.ml";

    private const int IrVersion = 8;

    // What a file of protocol buffers holds, and a little for the graph.
    private const long MostBytes = int.MaxValue - (1L << 24);

    private readonly GraphProto _graph;
    private readonly Dictionary<string, OnnxValue> _constants = [];
    private readonly Dictionary<string, OnnxValue> _inputs = [];
    private readonly HashSet<string> _names = [];
    private long _bytes;

    public OnnxBuilder(string name) => _graph = new GraphProto { Name = name };

    /// <summary>Inputs and outputs, in their order: name, type and sides as text.</summary>
    public List<(string Name, string Type, IReadOnlyList<string> Shape)> Inputs { get; } = [];

    /// <inheritdoc cref="Inputs"/>
    public List<(string Name, string Type, IReadOnlyList<string> Shape)> Outputs { get; } = [];

    /// <summary>Adds an input; the same one again (for another network on the same columns) is one.</summary>
    /// <param name="name">Its name; unlike all others.</param>
    /// <param name="type">Type of its elements.</param>
    /// <param name="documentation">What belongs into it.</param>
    /// <param name="shape">Its sides.</param>
    public OnnxValue Input(string name, DataType type, string documentation, params ReadOnlySpan<OnnxDimension> shape)
    {
        var described = Describe(name, type, documentation, shape);
        if (_inputs.TryGetValue(name, out var known) && _graph.Input.Contains(described))
            return known;
        if (!_names.Add(name))
            throw new ArgumentException($"Two columns of the model have the name '{name}'.", nameof(name));
        _graph.Input.Add(described);
        Inputs.Add((name, Text(type), Sides(shape)));
        return _inputs[name] = new OnnxValue(this, name);
    }

    /// <summary>Makes a value an output.</summary>
    /// <param name="name">Its name; unlike all others.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">Type of its elements.</param>
    /// <param name="documentation">What it is.</param>
    /// <param name="shape">Its sides.</param>
    public void Output(string name, OnnxValue value, DataType type, string documentation, params ReadOnlySpan<OnnxDimension> shape)
    {
        if (!_names.Add(name))
            throw new ArgumentException($"The model has an input and an output of the name '{name}'.", nameof(name));
        _graph.Node.Add(new NodeProto { OpType = "Identity", Name = $"{name}_output", Input = { value.Name }, Output = { name } });
        _graph.Output.Add(Describe(name, type, documentation, shape));
        Outputs.Add((name, Text(type), Sides(shape)));
    }

    /// <summary>A copy of a tensor: Single, Double, Int64 or Boolean.</summary>
    /// <param name="tensor">On any device.</param>
    /// <param name="name">What it shall be called.</param>
    public OnnxValue Weight(Tensor tensor, string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var values = tensor.detach().cpu().contiguous();
        _bytes += values.bytes.Length;
        if (_bytes > MostBytes)
        {
            throw new NotSupportedException("The weights are larger than the 2 GB that one ONNX file holds; several files are not written. Save it with SaveEncoder, "
                + "or as safetensors with SavePretrained.");
        }
        var proto = new TensorProto
        {
            Name = Unused(name),
            DataType = values.dtype switch
            {
                ScalarType.Float32 => DataType.Float,
                ScalarType.Float64 => DataType.Double,
                ScalarType.Int64 => DataType.Int64,
                ScalarType.Bool => DataType.Bool,
                _ => throw new NotSupportedException($"A weight of type {values.dtype} cannot be written."),
            },
            RawData = ByteString.CopyFrom(values.bytes),
        };
        proto.Dims.Add(values.shape);
        _graph.Initializer.Add(proto);
        return new OnnxValue(this, proto.Name);
    }

    /// <summary>A Single; the same one twice is one constant.</summary>
    public OnnxValue Constant(float value) => Shared(string.Create(CultureInfo.InvariantCulture, $"single_{value:R}"), () => tensor(value));

    /// <summary>A Double.</summary>
    public OnnxValue Constant(double value) => Shared(string.Create(CultureInfo.InvariantCulture, $"double_{value:R}"), () => tensor(value));

    /// <summary>A whole number without sides.</summary>
    public OnnxValue Integer(long value) => Shared($"integer_{value}", () => tensor(value));

    /// <summary>A row of whole numbers.</summary>
    public OnnxValue Integers(params ReadOnlySpan<long> values)
    {
        var copy = values.ToArray();
        return Shared($"integers_{string.Join('_', copy)}", () => tensor(copy));
    }

    /// <summary>The whole numbers from 0 to a length, which is a row of one.</summary>
    public OnnxValue Places(OnnxValue length) => Node("Range", [Integer(0), length.Squeeze(0), Integer(1)]);

    /// <summary>A node with one output.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="inputs">What it takes.</param>
    /// <param name="attributes">Numbers, rows of whole numbers, texts and rows of texts.</param>
    public OnnxValue Node(string operation, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
        => NodeOf("", operation, inputs, attributes);

    /// <summary>A node of a domain.</summary>
    /// <param name="domain">Empty for ONNX's own.</param>
    /// <param name="operation">The operator.</param>
    /// <param name="inputs">What it takes.</param>
    /// <param name="attributes">Its settings.</param>
    public OnnxValue NodeOf(string domain, string operation, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var node = new NodeProto { OpType = operation, Domain = domain, Name = Unused(operation) };
        node.Output.Add($"{node.Name}_output");
        _names.Add(node.Output[0]);
        foreach (var input in inputs)
            node.Input.Add(input.Name);
        foreach (var (name, value) in attributes)
            node.Attribute.Add(Attribute(name, value));
        _graph.Node.Add(node);
        return new OnnxValue(this, node.Output[0]);
    }

    /// <summary>Writes the model.</summary>
    /// <param name="stream">Takes it; stays the caller's.</param>
    /// <param name="documentation">What it is.</param>
    /// <param name="metadata">What programs may want to know of it.</param>
    public void Write(Stream stream, string documentation, IReadOnlyDictionary<string, string> metadata)
    {
        var model = new ModelProto
        {
            IrVersion = IrVersion,
            ProducerName = "Ssl.MLNet",
            ProducerVersion = typeof(OnnxBuilder).Assembly.GetName().Version!.ToString(),
            DocString = documentation,
            Graph = _graph,
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        if (_graph.Node.Any(node => node.Domain == TraditionalDomain))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = TraditionalDomain, Version = TraditionalOpset });
        foreach (var (key, value) in metadata)
            model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        model.WriteTo(stream);
    }

    private OnnxValue Shared(string name, Func<Tensor> create)
    {
        ref var constant = ref CollectionsMarshal.GetValueRefOrAddDefault(_constants, name, out var known);
        if (!known)
        {
            using var values = create();
            constant = Weight(values, name);
        }
        return constant;
    }

    private string Unused(string name)
    {
        var free = name;
        for (var i = 1; !_names.Add(free); i++)
            free = $"{name}_{i}";
        return free;
    }

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long number:
                (attribute.Type, attribute.I) = (AttributeType.Int, number);
                break;
            case float number:
                (attribute.Type, attribute.F) = (AttributeType.Float, number);
                break;
            case long[] numbers:
                attribute.Type = AttributeType.Ints;
                attribute.Ints.Add(numbers);
                break;
            case float[] numbers:
                attribute.Type = AttributeType.Floats;
                attribute.Floats.Add(numbers);
                break;
            case string text:
                (attribute.Type, attribute.S) = (AttributeType.String, ByteString.CopyFromUtf8(text));
                break;
            case string[] texts:
                attribute.Type = AttributeType.Strings;
                attribute.Strings.Add(texts.Select(text => ByteString.CopyFrom(text, Encoding.UTF8)));
                break;
            default:
                throw new ArgumentException($"An attribute cannot be a {value.GetType().Name}.", nameof(value));
        }
        return attribute;
    }

    private static ValueInfoProto Describe(string name, DataType type, string documentation, ReadOnlySpan<OnnxDimension> shape)
    {
        var sides = new TensorShapeProto();
        foreach (var side in shape)
        {
            sides.Dim.Add(side.Name is { } any ? new TensorShapeProto.Types.Dimension { DimParam = any }
                : new TensorShapeProto.Types.Dimension { DimValue = side.Value });
        }
        return new ValueInfoProto
        {
            Name = name,
            DocString = documentation,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = sides } },
        };
    }

    private static string[] Sides(ReadOnlySpan<OnnxDimension> shape)
    {
        var sides = new string[shape.Length];
        for (var i = 0; i < shape.Length; i++)
            sides[i] = shape[i].ToString();
        return sides;
    }

    // In ML.NET's words.
    private static string Text(DataType type) => type switch
    {
        DataType.Float => "Single",
        DataType.Bool => "Boolean",
        _ => type.ToString(),
    };
}
