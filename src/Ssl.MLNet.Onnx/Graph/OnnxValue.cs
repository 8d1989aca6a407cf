using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Graph;

/// <summary>A value of a graph, computed with like a tensor: every operation adds a node. Named and shaped as ONNX has them.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Name">Its name in it.</param>
internal readonly record struct OnnxValue(OnnxBuilder Graph, string Name)
{
    public static OnnxValue operator +(OnnxValue a, OnnxValue b) => a.Graph.Node("Add", [a, b]);

    public static OnnxValue operator -(OnnxValue a, OnnxValue b) => a.Graph.Node("Sub", [a, b]);

    public static OnnxValue operator *(OnnxValue a, OnnxValue b) => a.Graph.Node("Mul", [a, b]);

    public static OnnxValue operator /(OnnxValue a, OnnxValue b) => a.Graph.Node("Div", [a, b]);

    public static OnnxValue operator +(OnnxValue a, float b) => a + a.Graph.Constant(b);

    public static OnnxValue operator -(OnnxValue a, float b) => a - a.Graph.Constant(b);

    public static OnnxValue operator *(OnnxValue a, float b) => a * a.Graph.Constant(b);

    public static OnnxValue operator /(OnnxValue a, float b) => a / a.Graph.Constant(b);

    public static OnnxValue operator &(OnnxValue a, OnnxValue b) => a.Graph.Node("And", [a, b]);

    public static OnnxValue operator |(OnnxValue a, OnnxValue b) => a.Graph.Node("Or", [a, b]);

    public static OnnxValue operator !(OnnxValue a) => a.Graph.Node("Not", [a]);

    public static OnnxValue operator <(OnnxValue a, OnnxValue b) => a.Graph.Node("Less", [a, b]);

    public static OnnxValue operator >(OnnxValue a, OnnxValue b) => a.Graph.Node("Greater", [a, b]);

    public static OnnxValue operator <=(OnnxValue a, OnnxValue b) => a.Graph.Node("LessOrEqual", [a, b]);

    public static OnnxValue operator >=(OnnxValue a, OnnxValue b) => a.Graph.Node("GreaterOrEqual", [a, b]);

    public OnnxValue EqualTo(OnnxValue other) => Graph.Node("Equal", [this, other]);

    public OnnxValue MatMul(OnnxValue other) => Graph.Node("MatMul", [this, other]);

    public OnnxValue Relu() => Graph.Node("Relu", [this]);

    public OnnxValue Sigmoid() => Graph.Node("Sigmoid", [this]);

    public OnnxValue Tanh() => Graph.Node("Tanh", [this]);

    public OnnxValue Sin() => Graph.Node("Sin", [this]);

    public OnnxValue Cos() => Graph.Node("Cos", [this]);

    public OnnxValue Log() => Graph.Node("Log", [this]);

    public OnnxValue Sqrt() => Graph.Node("Sqrt", [this]);

    public OnnxValue Floor() => Graph.Node("Floor", [this]);

    public OnnxValue IsNaN() => Graph.Node("IsNaN", [this]);

    public OnnxValue IsInfinite() => Graph.Node("IsInf", [this]);

    public OnnxValue Maximum(OnnxValue other) => Graph.Node("Max", [this, other]);

    public OnnxValue Minimum(OnnxValue other) => Graph.Node("Min", [this, other]);

    public OnnxValue Clip(OnnxValue lowest, OnnxValue highest) => Graph.Node("Clip", [this, lowest, highest]);

    /// <summary>GELU by the error function.</summary>
    public OnnxValue Gelu() => this * 0.5f * (Graph.Node("Erf", [this * 0.70710678118654752f]) + 1);

    public OnnxValue Softmax(long axis) => Graph.Node("Softmax", [this], ("axis", axis));

    /// <summary>Of a Boolean: one value where it is true, the other elsewhere.</summary>
    public OnnxValue Choose(OnnxValue whereTrue, OnnxValue elsewhere) => Graph.Node("Where", [this, whereTrue, elsewhere]);

    public OnnxValue To(DataType type) => Graph.Node("Cast", [this], ("to", (long)type));

    public OnnxValue Transpose(params long[] order) => Graph.Node("Transpose", [this], ("perm", order));

    /// <summary>Other sides: 0 keeps the one at its place, -1 takes the rest.</summary>
    public OnnxValue Reshape(params ReadOnlySpan<long> shape) => Graph.Node("Reshape", [this, Graph.Integers(shape)]);

    public OnnxValue Reshape(OnnxValue shape) => Graph.Node("Reshape", [this, shape]);

    public OnnxValue Unsqueeze(params ReadOnlySpan<long> axes) => Graph.Node("Unsqueeze", [this, Graph.Integers(axes)]);

    public OnnxValue Squeeze(params ReadOnlySpan<long> axes) => Graph.Node("Squeeze", [this, Graph.Integers(axes)]);

    public OnnxValue Expand(OnnxValue shape) => Graph.Node("Expand", [this, shape]);

    /// <summary>From one place to another along an axis; long.MaxValue is its end.</summary>
    public OnnxValue Slice(long axis, long first, long end) => Slice(axis, Graph.Integers(first), Graph.Integers(end));

    /// <inheritdoc cref="Slice(long, long, long)"/>
    public OnnxValue Slice(long axis, OnnxValue first, OnnxValue end) => Graph.Node("Slice", [this, first, end, Graph.Integers(axis)]);

    /// <summary>One place of an axis, which goes.</summary>
    public OnnxValue Select(long axis, long place) => Graph.Node("Gather", [this, Graph.Integer(place)], ("axis", axis));

    public OnnxValue Gather(OnnxValue places, long axis = 0) => Graph.Node("Gather", [this, places], ("axis", axis));

    /// <summary>The length of an axis, as a row of one whole number.</summary>
    public OnnxValue Length(long axis) => Graph.Node("Shape", [this], ("start", axis), ("end", axis + 1));

    public OnnxValue Sum(bool keep, params ReadOnlySpan<long> axes) => Graph.Node("ReduceSum", [this, Graph.Integers(axes)], ("keepdims", keep ? 1L : 0));

    public OnnxValue Mean(bool keep, params long[] axes) => Graph.Node("ReduceMean", [this], ("axes", axes), ("keepdims", keep ? 1L : 0));

    public OnnxValue Max(bool keep, params long[] axes) => Graph.Node("ReduceMax", [this], ("axes", axes), ("keepdims", keep ? 1L : 0));

    /// <summary>The Euclidean length along the last axis, which stays with one place.</summary>
    public OnnxValue Norm() => Graph.Node("ReduceL2", [this], ("axes", new[] { -1L }), ("keepdims", 1L));

    /// <summary>Values behind each other along an axis.</summary>
    public static OnnxValue Concat(long axis, params ReadOnlySpan<OnnxValue> values)
        => values.Length == 1 ? values[0] : values[0].Graph.Node("Concat", values, ("axis", axis));
}
