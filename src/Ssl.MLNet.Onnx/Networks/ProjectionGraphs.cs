using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>The space that images and texts share, as a graph.</summary>
internal static class ProjectionGraphs
{
    /// <summary>Embeddings in the shared space: all of the length sqrt(D).</summary>
    /// <param name="weights">Of the projected encoder.</param>
    /// <param name="embeddings">[N, E].</param>
    /// <param name="dimension">D.</param>
    /// <returns>[N, D].</returns>
    public static OnnxValue Project(NetworkWeights weights, OnnxValue embeddings, int dimension)
    {
        var vectors = weights.Linear(embeddings, "projection");
        return vectors * (weights.Graph.Constant((float)Math.Sqrt(dimension)) / vectors.Norm().Maximum(weights.Graph.Constant(1e-12f)));
    }
}
