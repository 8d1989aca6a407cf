using Ssl.Estimators.Encoders;
using Ssl.Estimators.Serialization.Onnx;
using static TorchSharp.torch;

namespace Ssl.Estimators.Pretrained;

/// <summary>Finds the parts of a network of BERT's kind in the graph of an ONNX file.</summary>
/// <remarks>
/// Exporters keep the names of biases, norms and tables, transpose the matrices and number them. Each is found through the bias that is
/// added behind it: <c>MatMul(x, W) -> Add(bias)</c>.
/// </remarks>
internal static class OnnxBert
{
    private const string BiasEnd = ".bias", WeightEnd = ".weight";

    /// <summary>The weights of a graph under their names in the network that was exported.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="path">Where it was read.</param>
    /// <param name="isTable">Which further constants are weights.</param>
    public static PretrainedWeights ReadWeights(OnnxGraph graph, string path, Predicate<string>? isTable = null)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var name in graph.WeightNames.Where(name => name.EndsWith(WeightEnd, StringComparison.Ordinal)
                || name.EndsWith(BiasEnd, StringComparison.Ordinal) || isTable?.Invoke(name) == true))
            {
                tensors[name] = graph.Values(name);
            }
            foreach (var add in graph.Nodes.Where(node => node.OpType == "Add" && node.Input.Count == 2))
            {
                foreach (var (bias, product) in new[] { (add.Input[0], add.Input[1]), (add.Input[1], add.Input[0]) })
                {
                    if (bias.EndsWith(BiasEnd, StringComparison.Ordinal) && graph.ProducerOf(product) is { OpType: "MatMul" } multiply
                        && graph.IsWeight(multiply.Input[1]))
                    {
                        using var matrix = graph.Values(multiply.Input[1]);
                        using var scope = NewDisposeScope();
                        tensors.TryAdd(bias[..^BiasEnd.Length] + WeightEnd, matrix.t().contiguous().DetachFromDisposeScope());
                    }
                }
            }
            return new PretrainedWeights(tensors, path);
        }
        catch
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw;
        }
    }

    /// <summary>The sizes of a BERT or DistilBERT, where no config.json tells them.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="weights">Its weights, without what stands before all names.</param>
    /// <param name="prefix">What stood before all names.</param>
    /// <returns>Its kind and its sizes.</returns>
    /// <exception cref="FormatException">The graph is of another kind, or does not tell.</exception>
    public static (BertKind Kind, BertSizes Sizes) ReadSizes(OnnxGraph graph, PretrainedWeights weights, string prefix)
    {
        var kind = new[] { BertKind.Bert, BertKind.Distil }.FirstOrDefault(kind => weights[$"{kind.Names.Layer}.0.{kind.Names.Query}.bias"] is not null)
            ?? throw new FormatException($"'{weights.Path}' is no network of BERT or DistilBERT; for other kinds ({string.Join(", ",
                BertKind.All.Select(known => known.Name))}) its config.json must lie beside it.");
        var names = kind.Names;
        var (words, positions) = (weights[BertNames.Words]!, weights["embeddings.position_embeddings.weight"]);
        var first = weights[$"{names.Layer}.0.{names.Intermediate}.bias"];
        if (positions is null || first is null)
            throw new FormatException($"'{weights.Path}' lacks the table of positions, or the biases of its layers.");
        var layers = 0;
        while (weights[$"{names.Layer}.{layers}.{names.Query}.bias"] is not null)
            layers++;
        return (kind, new BertSizes
        {
            Words = (int)words.shape[0],
            NumberOfLayers = layers,
            Dimension = (int)words.shape[1],
            NumberOfHeads = FindHeads(graph, $"{prefix}{names.Layer}.0.{names.Query}.bias") ?? throw new FormatException(
                $"'{weights.Path}' does not tell the number of attention heads. Put the model's config.json beside it."),
            FeedForwardDimension = (int)first.shape[0],
            Positions = (int)positions.shape[0],
            TokenTypes = weights["embeddings.token_type_embeddings.weight"] is { } types ? (int)types.shape[0] : 0,
            LayerNormEpsilon = FindEpsilon(graph) ?? 1e-12,
            MaximumTokens = (int)positions.shape[0],
        });
    }

    // The query is brought to [N, L, heads, D / heads], by a constant shape or by one whose last two numbers are constant.
    private static int? FindHeads(OnnxGraph graph, string bias)
    {
        foreach (var reshape in graph.ConsumersOf(bias).SelectMany(add => graph.ConsumersOf(add.Output[0])).Where(node => node.OpType == "Reshape"))
        {
            if (graph.Integers(reshape.Input[1]) is { Length: 4 } shape)
                return (int)shape[2];
            if (graph.ProducerOf(reshape.Input[1]) is { OpType: "Concat", Input.Count: 4 } concat
                && graph.Integers(concat.Input[2]) is { Length: 1 } heads)
            {
                return (int)heads[0];
            }
        }
        return null;
    }

    /// <summary>What layer normalizations add to variances; null where the graph does not tell.</summary>
    public static double? FindEpsilon(OnnxGraph graph)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.OpType == "LayerNormalization")
                return node.Attribute.FirstOrDefault(attribute => attribute.Name == "epsilon")?.F;
            if (node.OpType == "Sqrt" && graph.ProducerOf(node.Input[0]) is { OpType: "Add" } add)
                return graph.Number(add.Input[0]) ?? graph.Number(add.Input[1]);
        }
        return null;
    }
}
