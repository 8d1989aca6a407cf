namespace Ssl.MLNet;

/// <summary>What <c>ExportOnnx</c> wrote.</summary>
public sealed class OnnxExportResult
{
    internal OnnxExportResult(string path, IReadOnlyList<OnnxColumn> inputs, IReadOnlyList<OnnxColumn> outputs, string preparation, IReadOnlyList<string> files,
        int checkedRows, double largestDifference)
    {
        (Path, Inputs, Outputs, Preparation, Files) = (path, inputs, outputs, preparation, files);
        (CheckedRows, LargestDifference) = (checkedRows, largestDifference);
    }

    /// <summary>The model.</summary>
    public string Path { get; }

    /// <summary>What the model takes.</summary>
    public IReadOnlyList<OnnxColumn> Inputs { get; }

    /// <summary>What it gives.</summary>
    public IReadOnlyList<OnnxColumn> Outputs { get; }

    /// <summary>What a program has to do before: sentences, which the model's metadata hold, too (<c>preparation</c>).</summary>
    public string Preparation { get; }

    /// <summary>Files beside the model that this needs: the vocabulary of texts.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Rows that ONNX Runtime and the encoder were compared on.</summary>
    public int CheckedRows { get; }

    /// <summary>The largest difference between a number of ONNX Runtime and the encoder's.</summary>
    public double LargestDifference { get; }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant(
        $"{Path}: {string.Join(", ", Inputs)} to {string.Join(", ", Outputs)}; {CheckedRows} rows differ by {LargestDifference:0.0e+0} at most");
}

/// <summary>An input or output of an ONNX model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type of its elements, in ML.NET's words: Single, Double, Int64, String or Boolean.</param>
/// <param name="Shape">Its sides: numbers, or names where any length will do.</param>
public sealed record OnnxColumn(string Name, string Type, IReadOnlyList<string> Shape)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Type}[{string.Join(", ", Shape)}]";
}
