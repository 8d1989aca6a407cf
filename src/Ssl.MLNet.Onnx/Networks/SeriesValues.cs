using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>Time series in a graph.</summary>
/// <param name="Values">Scaled values, Single [N, C, T]; 0 where there is none.</param>
/// <param name="Inside">Boolean [N, T]: up to the end of each series.</param>
/// <param name="Observed">Boolean [N, T]: where at least one channel has a value.</param>
internal sealed record SeriesValues(OnnxValue Values, OnnxValue Inside, OnnxValue Observed);
