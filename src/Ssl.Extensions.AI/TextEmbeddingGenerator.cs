using Ssl.Estimators;

namespace Ssl.Extensions.AI;

/// <summary>Embeds texts.</summary>
internal sealed class TextEmbeddingGenerator(EncoderTransformer encoder, string? modelId, bool ownsEncoder,
    string name = TextEmbeddingGenerator.Given)
    : EncoderEmbeddingGenerator<string>(encoder, Refusal(encoder, name), modelId, ownsEncoder)
{
    /// <summary>What an encoder is called that comes from the caller.</summary>
    public const string Given = "This encoder";

    protected override IReadOnlyList<float[]> Embed(IEnumerable<string> inputs, out long? tokens)
    {
        var embeddings = Encoder.Embed(inputs, out var counts);
        tokens = counts.Tokens - counts.TokensCut;
        return embeddings;
    }

    private static string? Refusal(EncoderTransformer encoder, string name) => encoder.RefusalOfTexts(name) is { } refusal
        ? $"{refusal} Image encoders: {nameof(EncoderTransformerExtensions.AsIImageEmbeddingGenerator)}, AddSslImageEmbeddingGenerator." : null;
}
