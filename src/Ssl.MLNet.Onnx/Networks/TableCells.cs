using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>The cells of table rows in a graph.</summary>
/// <param name="Numbers">Scaled numbers, Single [N, C], 0 where missing; null where there are none.</param>
/// <param name="Missing">Boolean [N, C]; null where there are no numbers.</param>
/// <param name="Entries">Entries of the categories among those of all columns, Int64 [N, K]; null where there are none.</param>
internal sealed record TableCells(OnnxValue? Numbers, OnnxValue? Missing, OnnxValue? Entries);
