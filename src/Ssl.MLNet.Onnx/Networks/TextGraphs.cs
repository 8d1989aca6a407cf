using Ssl.Estimators;
using Ssl.Estimators.Encoders;
using Ssl.MLNet.Onnx.Graph;
using static TorchSharp.torch;
using DataType = Ssl.Estimators.Serialization.Onnx.TensorProto.Types.DataType;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>The networks of texts as graphs.</summary>
/// <remarks>N texts, L places, D the dimension.</remarks>
internal static class TextGraphs
{
    /// <summary>A text's embedding.</summary>
    /// <param name="factory">The network's sizes.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="ids">Token ids, Int64 [N, L].</param>
    /// <param name="mask">Boolean [N, L]: where there is a token.</param>
    /// <param name="specialCount">Tokens of the vocabulary before the first ordinary one.</param>
    /// <returns>Single [N, D].</returns>
    public static OnnxValue Encode(TextEncoderFactory factory, NetworkWeights weights, OnnxValue ids, OnnxValue mask, int specialCount)
    {
        switch (factory)
        {
            case BagTextEncoderFactory:
                return Bag(weights, ids, mask, specialCount);
            case LatentSemanticTextEncoderFactory:
                return LatentSemantics(weights, ids, mask);
            case TransformerTextEncoderFactory transformer:
                return Pool(Tokens(factory, weights, ids, mask), mask, transformer.Pooling);
            case BertTextEncoderFactory { Sizes: var sizes }:
                var pooled = Pool(Tokens(factory, weights, ids, mask), mask, sizes.Pooling);
                return sizes.UnitLength ? pooled / pooled.Norm().Maximum(weights.Graph.Constant(1e-12f)) : pooled;
            case ProjectedTextEncoderFactory projected:
                return ProjectionGraphs.Project(weights, Encode(projected.Encoder, weights.Part("encoder"), ids, mask, specialCount), factory.EmbeddingDimension);
            default:
                throw Unsupported.Network(factory);
        }
    }

    /// <summary>A vector for every token: [N, L, D].</summary>
    /// <inheritdoc cref="Encode"/>
    public static OnnxValue Tokens(TextEncoderFactory factory, NetworkWeights weights, OnnxValue ids, OnnxValue mask) => factory switch
    {
        BagTextEncoderFactory => weights.Value("word_embeddings.weight").Gather(ids),
        TransformerTextEncoderFactory transformer => TransformerGraphs.Stack(weights.Part("encoder"),
            weights.LayerNorm(Words(weights, ids, 0), "embeddings.layer_norm"), transformer.NumberOfLayers, transformer.NumberOfHeads, mask),
        BertTextEncoderFactory { Sizes: var sizes } => Bert(sizes, weights, ids, mask),
        ProjectedTextEncoderFactory projected => Tokens(projected.Encoder, weights.Part("encoder"), ids, mask),
        _ => throw Unsupported.Network(factory),
    };

    // The mean of the tokens that say something, then a small MLP.
    private static OnnxValue Bag(NetworkWeights weights, OnnxValue ids, OnnxValue mask, int specialCount)
    {
        var graph = weights.Graph;
        var plain = mask & (ids >= graph.Integer(specialCount));                                        // [N, L]
        var isEmpty = plain.To(DataType.Float).Sum(true, 1).EqualTo(graph.Constant(0f));                // [N, 1]
        var counted = (plain | (mask & isEmpty)).To(DataType.Float);
        var words = weights.Value("word_embeddings.weight").Gather(ids);                                // [N, L, T]
        var mean = counted.Unsqueeze(1).MatMul(words).Squeeze(1) / counted.Sum(true, 1);                // [N, T]
        return weights.Linear(weights.Linear(weights.LayerNorm(mean, "layer_norm"), "hidden").Gelu(), "output");
    }

    // The TF-IDF of the tokens that count, shared among the places of each, projected.
    private static OnnxValue LatentSemantics(NetworkWeights weights, OnnxValue ids, OnnxValue mask)
    {
        var words = weights.Value("places").Gather(ids) * mask.To(DataType.Int64);                      // [N, L]
        var counts = words.Unsqueeze(1).EqualTo(words.Unsqueeze(2)).To(DataType.Float).Sum(false, 2);   // [N, L]
        var tfIdf = (counts.Log() + 1) * weights.Value("rarity").Gather(words);
        var shares = tfIdf / counts;
        var length = (tfIdf * shares).Sum(true, 1).Sqrt().Maximum(weights.Graph.Constant(1e-12f));
        return shares.Unsqueeze(1).MatMul(weights.Value("directions").Gather(words)).Squeeze(1) / length;
    }

    // Words and the positions of their places, [N, L, D].
    private static OnnxValue Words(NetworkWeights weights, OnnxValue ids, int firstPosition)
    {
        var places = weights.Value("embeddings.position_embeddings.weight", table => table.narrow(0, firstPosition, table.shape[0] - firstPosition));
        return weights.Value("embeddings.word_embeddings.weight").Gather(ids) + places.Slice(0, weights.Graph.Integers(0), ids.Length(1));
    }

    private static OnnxValue Bert(BertSizes sizes, NetworkWeights weights, OnnxValue ids, OnnxValue mask)
    {
        var tokens = Words(weights, ids, sizes.FirstPosition);
        if (sizes.TokenTypes > 0)
            tokens += weights.Value("embeddings.token_type_embeddings.weight", table => table.narrow(0, 0, 1));
        tokens = weights.LayerNorm(tokens, "embeddings.layer_norm", sizes.LayerNormEpsilon);
        var encoder = weights.Part("encoder");
        var bias = NetworkWeights.Hide(mask);                                                           // [N, 1, 1, L]
        if (sizes.RelativePositions > 0)
            bias += Distances(sizes, encoder, ids);
        for (var i = 0; i < sizes.NumberOfLayers; i++)
        {
            var layer = encoder.Part($"layer.{i}");
            var context = layer.Linear(layer.Attention(tokens, "query_key_value", sizes.NumberOfHeads, bias), "attention_output");
            tokens = layer.LayerNorm(context + tokens, "attention_norm", sizes.LayerNormEpsilon);
            var hidden = Activate(layer.Linear(tokens, "intermediate"), sizes.Activation);
            tokens = layer.LayerNorm(layer.Linear(hidden, "output") + tokens, "output_norm", sizes.LayerNormEpsilon);
        }
        return tokens;
    }

    private static OnnxValue Activate(OnnxValue x, BertActivation activation) => activation switch
    {
        BertActivation.Gelu => x.Gelu(),
        BertActivation.GeluTanh => ((x * x * x * 0.044715f + x) * (float)Math.Sqrt(2 / Math.PI)).Tanh() is var tanh ? (tanh + 1) * x * 0.5f : default,
        _ => x.Relu(),
    };

    // MPNet's bias for the distance of two places: [1, heads, L, L].
    private static OnnxValue Distances(BertSizes sizes, NetworkWeights encoder, OnnxValue ids)
    {
        var graph = encoder.Graph;
        var longest = sizes.Positions - sizes.FirstPosition;
        long[] rows = [.. Enumerable.Range(1 - longest, 2 * longest - 1).Select(distance => RelativePositions.RowOf(distance, sizes.RelativePositions))];
        using var table = tensor(rows);
        var places = graph.Places(ids.Length(1));                                                       // [L]
        var distances = places.Unsqueeze(0) - places.Unsqueeze(1) + graph.Integer(longest - 1);             // [L, L], of key from query
        return encoder.Value("relative_attention_bias.weight").Gather(graph.Weight(table, "distance_rows").Gather(distances)).Transpose(2, 0, 1).Unsqueeze(0);
    }

    private static OnnxValue Pool(OnnxValue tokens, OnnxValue mask, TextPooling pooling)
    {
        if (pooling == TextPooling.Class)
            return tokens.Select(1, 0);
        if (pooling == TextPooling.Max)
            return mask.Unsqueeze(2).Choose(tokens, mask.Graph.Constant(float.MinValue)).Max(false, 1);
        var weights = mask.To(DataType.Float);
        return weights.Unsqueeze(1).MatMul(tokens).Squeeze(1) / weights.Sum(true, 1);
    }
}
