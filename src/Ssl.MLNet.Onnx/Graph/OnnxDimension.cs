namespace Ssl.MLNet.Onnx.Graph;

/// <summary>A side of an input or output: a number, or a name where any length will do.</summary>
/// <param name="Value">The number.</param>
/// <param name="Name">The name; null for a number.</param>
internal readonly record struct OnnxDimension(long Value, string? Name)
{
    public static implicit operator OnnxDimension(long value) => new(value, null);

    public static implicit operator OnnxDimension(string name) => new(0, name);

    public override string ToString() => Name ?? Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
