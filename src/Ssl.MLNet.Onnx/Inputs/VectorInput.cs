using Microsoft.ML.OnnxRuntime;
using Ssl.Estimators.Rows;
using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx.Inputs;

/// <summary>A column of vectors alone, which the stages before give; no encoder reads it.</summary>
internal sealed class VectorInput(string column) : ModelInput
{
    public override string Preparation => $"'{column}' holds the vector of a row as the stages before give it";

    public override OnnxValue Embed(NetworkWeights weights) => throw new NotSupportedException("There is no encoder.");

    public override Dictionary<string, OrtValue> Values(IReadOnlyList<RawRow> rows, RowStore store) => [];

    public override RawRow MadeUp(Random random) => default;
}
