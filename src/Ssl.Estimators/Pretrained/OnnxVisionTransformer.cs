using Ssl.Estimators.Serialization.Onnx;

namespace Ssl.Estimators.Pretrained;

/// <summary>Finds the parts of a vision transformer in the graph of an ONNX file: as those of BERT, and the tables of tokens and positions.</summary>
internal static class OnnxVisionTransformer
{
    private static readonly string[] s_tables = ["cls_token", "dist_token", "pos_embed", "position_embeddings", "distillation_token"];

    /// <summary>Whether a graph is one: a convolution, and weights of a class token.</summary>
    public static bool IsIn(OnnxGraph graph) => graph.WeightNames.Any(name => name.EndsWith(s_tables[0], StringComparison.Ordinal));

    /// <summary>The weights of a graph under their names in the network that was exported.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">Where it was read.</param>
    public static PretrainedWeights ReadWeights(OnnxGraph graph, string path)
        => OnnxBert.ReadWeights(graph, path, name => s_tables.Any(table => name.EndsWith(table, StringComparison.Ordinal)));

    /// <summary>What is added to variances; null where the graph does not tell.</summary>
    public static double? FindEpsilon(OnnxGraph graph) => OnnxBert.FindEpsilon(graph);
}
