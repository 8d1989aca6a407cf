using Ssl.MLNet.Onnx.Graph;

namespace Ssl.MLNet.Onnx.Networks;

/// <summary>Transformer blocks as graphs; the networks are <c>TransformerStack</c> and <c>VisionBlock</c>.</summary>
internal static class TransformerGraphs
{
    /// <summary>Pre-norm blocks with a norm at the end.</summary>
    /// <param name="weights">Of the stack.</param>
    /// <param name="tokens">[N, L, D].</param>
    /// <param name="layers">Number of blocks.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="mask">Boolean [N, L]; null where all places count.</param>
    /// <returns>[N, L, D].</returns>
    public static OnnxValue Stack(NetworkWeights weights, OnnxValue tokens, int layers, int heads, OnnxValue? mask)
    {
        OnnxValue? bias = mask is { } inside ? NetworkWeights.Hide(inside) : null;
        for (var i = 0; i < layers; i++)
        {
            var layer = weights.Part($"layer.{i}");
            var attention = layer.Part("attention");
            tokens += attention.Linear(attention.Attention(layer.LayerNorm(tokens, "attention_norm"), "query_key_value", heads, bias), "output");
            tokens += layer.Linear(layer.Linear(layer.LayerNorm(tokens, "output_norm"), "intermediate").Gelu(), "output");
        }
        return weights.LayerNorm(tokens, "layer_norm");
    }

    /// <summary>A block of a vision transformer.</summary>
    /// <param name="weights">Of the block.</param>
    /// <param name="tokens">[N, L, D].</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="epsilon">Of its norms.</param>
    /// <returns>[N, L, D].</returns>
    public static OnnxValue VisionBlock(NetworkWeights weights, OnnxValue tokens, int heads, double epsilon)
    {
        tokens += weights.Linear(weights.Attention(weights.LayerNorm(tokens, "norm1", epsilon), "attn.qkv", heads, null), "attn.proj");
        return tokens + weights.Linear(weights.Linear(weights.LayerNorm(tokens, "norm2", epsilon), "mlp.fc1").Gelu(), "mlp.fc2");
    }
}
