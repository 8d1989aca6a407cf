using static TorchSharp.torch;

namespace Ssl.MLNet.Onnx.Graph;

/// <summary>The weights of a network by their names in its archive, as values of a graph, and the layers that are made of them.</summary>
/// <param name="graph">The graph.</param>
/// <param name="weights">By name.</param>
/// <param name="prefix">What the names begin with here.</param>
internal sealed class NetworkWeights(OnnxBuilder graph, IReadOnlyDictionary<string, Tensor> weights, string prefix = "")
{
    /// <summary>What PyTorch adds to variances.</summary>
    public const double UsualEpsilon = 1e-5;

    /// <summary>The graph.</summary>
    public OnnxBuilder Graph => graph;

    /// <summary>The weights of a part.</summary>
    public NetworkWeights Part(string name) => new(graph, weights, $"{prefix}{name}.");

    /// <summary>Whether there is a weight of this name.</summary>
    public bool Has(string name) => weights.ContainsKey(prefix + name);

    /// <summary>A weight as it is; the network's own.</summary>
    public Tensor Tensor(string name) => weights.TryGetValue(prefix + name, out var tensor) ? tensor
        : throw new InvalidOperationException($"The network has no weight '{prefix}{name}'.");

    /// <summary>A weight as a value.</summary>
    public OnnxValue Value(string name) => graph.Weight(Tensor(name), prefix + name);

    /// <summary>A weight as a value in another form.</summary>
    /// <param name="name">The weight.</param>
    /// <param name="change">Makes the form, in a dispose scope.</param>
    public OnnxValue Value(string name, Func<Tensor, Tensor> change)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return graph.Weight(change(Tensor(name)), prefix + name);
    }

    /// <summary>A linear layer: [..., inputs] to [..., outputs].</summary>
    public OnnxValue Linear(OnnxValue input, string layer)
    {
        var output = input.MatMul(Value($"{layer}.weight", weight => weight.t()));
        return Has($"{layer}.bias") ? output + Value($"{layer}.bias") : output;
    }

    /// <summary>Layer normalization over the last axis.</summary>
    public OnnxValue LayerNorm(OnnxValue input, string layer, double epsilon = UsualEpsilon)
        => graph.Node("LayerNormalization", [input, Value($"{layer}.weight"), Value($"{layer}.bias")], ("axis", -1L), ("epsilon", (float)epsilon));

    /// <summary>Batch normalization of [N, C, ...] by its running statistics.</summary>
    public OnnxValue BatchNorm(OnnxValue input, string layer) => graph.Node("BatchNormalization",
        [input, Value($"{layer}.weight"), Value($"{layer}.bias"), Value($"{layer}.running_mean"), Value($"{layer}.running_var")],
        ("epsilon", (float)UsualEpsilon));

    /// <summary>A square convolution without bias that pads by half of its side.</summary>
    public OnnxValue Convolution(OnnxValue maps, string layer, long stride)
    {
        var edge = Tensor($"{layer}.weight").shape[2] / 2;
        return graph.Node("Conv", [maps, Value($"{layer}.weight")], ("strides", (long[])[stride, stride]), ("pads", (long[])[edge, edge, edge, edge]));
    }

    /// <summary>Multi-head self-attention over one fused projection: what the heads give, side by side, before the output's layer.</summary>
    /// <param name="tokens">[N, L, D].</param>
    /// <param name="layer">The projection to queries, keys and values.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="bias">Added to the scores, [N or 1, heads or 1, L or 1, L]; null for nothing.</param>
    /// <returns>[N, L, D].</returns>
    public OnnxValue Attention(OnnxValue tokens, string layer, long heads, OnnxValue? bias)
    {
        var width = Tensor($"{layer}.weight").shape[0] / 3 / heads;
        var parts = Linear(tokens, layer).Reshape(0, 0, 3, heads, width).Transpose(2, 0, 3, 1, 4);      // [3, N, heads, L, D / heads]
        var scores = (parts.Select(0, 0) * (float)(1 / Math.Sqrt(width))).MatMul(parts.Select(0, 1).Transpose(0, 1, 3, 2)); // [N, heads, L, L]
        if (bias is { } added)
            scores += added;
        return scores.Softmax(-1).MatMul(parts.Select(0, 2)).Transpose(0, 2, 1, 3).Reshape(0, 0, heads * width);
    }

    /// <summary>What is added to the scores of attention so that places outside of a mask are not looked at.</summary>
    /// <param name="mask">Boolean [N, L].</param>
    /// <returns>[N, 1, 1, L].</returns>
    public static OnnxValue Hide(OnnxValue mask)
        => mask.Unsqueeze(1, 2).Choose(mask.Graph.Constant(0f), mask.Graph.Constant(float.MinValue));
}
