namespace Ssl.Estimators.Pretrained;

/// <summary>How a kind of network names the parts of BERT in its files.</summary>
/// <param name="Layer">What stands before the number of a layer.</param>
/// <param name="Query">Within a layer.</param>
/// <param name="Key">Within a layer.</param>
/// <param name="Value">Within a layer.</param>
/// <param name="AttentionOutput">Within a layer.</param>
/// <param name="AttentionNorm">Within a layer.</param>
/// <param name="Intermediate">Within a layer.</param>
/// <param name="Output">Within a layer.</param>
/// <param name="OutputNorm">Within a layer.</param>
internal sealed record BertNames(string Layer, string Query, string Key, string Value, string AttentionOutput, string AttentionNorm,
    string Intermediate, string Output, string OutputNorm)
{
    /// <summary>The table of words, whose name tells what stands before all names.</summary>
    public const string Words = "embeddings.word_embeddings.weight";

    /// <summary>BERT, RoBERTa, XLM-RoBERTa.</summary>
    public static BertNames Bert { get; } = new("encoder.layer", "attention.self.query", "attention.self.key", "attention.self.value",
        "attention.output.dense", "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm");

    /// <summary>DistilBERT.</summary>
    public static BertNames Distil { get; } = new("transformer.layer", "attention.q_lin", "attention.k_lin", "attention.v_lin",
        "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm");

    /// <summary>MPNet.</summary>
    public static BertNames MpNet { get; } = new("encoder.layer", "attention.attn.q", "attention.attn.k", "attention.attn.v",
        "attention.attn.o", "attention.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm");

    /// <summary>The names in a file of what a parameter of <see cref="Encoders.BertTextEncoder"/> holds.</summary>
    /// <param name="parameter">Its name in the network.</param>
    /// <returns>One name; three, of tensors that stand above each other, where query, key and value are one parameter.</returns>
    public string[] Of(string parameter)
    {
        if (!parameter.StartsWith("encoder.layer.", StringComparison.Ordinal))
            return [parameter.Replace(".layer_norm.", ".LayerNorm.", StringComparison.Ordinal)];
        var parts = parameter.Split('.');       // encoder, layer, number, part, weight or bias
        var (before, kind) = ($"{Layer}.{parts[2]}.", "." + parts[4]);
        string[] names = parts[3] switch
        {
            "query_key_value" => [Query, Key, Value],
            "attention_output" => [AttentionOutput],
            "attention_norm" => [AttentionNorm],
            "intermediate" => [Intermediate],
            "output" => [Output],
            "output_norm" => [OutputNorm],
            _ => throw new ArgumentException($"A network of BERT's kind has no parameter '{parameter}'.", nameof(parameter)),
        };
        return [.. names.Select(name => before + name + kind)];
    }
}
