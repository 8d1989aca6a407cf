using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a <see cref="LatentSemanticTextEncoder"/>, and which tokens it gets.</summary>
internal sealed class LatentSemanticTextEncoderFactory : TextEncoderFactory
{
    public const string KindName = "text.latent-semantic";

    /// <param name="embeddingDimension">Length of an embedding. At least 1.</param>
    /// <param name="numberOfWords">Different tokens that count. At least 1.</param>
    /// <param name="maximumTokens">Tokens of a text that count. At least 3.</param>
    /// <param name="usesSpecialTokens">Whether it is given texts between special tokens, which it does not count.</param>
    public LatentSemanticTextEncoderFactory(int embeddingDimension, int numberOfWords, int maximumTokens, bool usesSpecialTokens)
    {
        new OptionFaults()
            .AtLeast(embeddingDimension, 1)
            .AtLeast(numberOfWords, 1)
            .AtLeast(maximumTokens, 3)
            .ThrowIfAny();
        (EmbeddingDimension, NumberOfWords, MaximumTokens, UsesSpecialTokens) = (embeddingDimension, numberOfWords, maximumTokens, usesSpecialTokens);
    }

    public override string Kind => KindName;

    public override int EmbeddingDimension { get; }

    public int NumberOfWords { get; }

    public override int MaximumTokens { get; }

    public override bool UsesSpecialTokens { get; }

    public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        return new LatentSemanticTextEncoder(this, vocabulary);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = EmbeddingDimension,
        ["numberOfWords"] = NumberOfWords,
        ["maximumTokens"] = MaximumTokens,
        ["usesSpecialTokens"] = UsesSpecialTokens,
    };

    public static LatentSemanticTextEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new LatentSemanticTextEncoderFactory(reader.Integer("embeddingDimension"), reader.Integer("numberOfWords"),
            reader.Integer("maximumTokens"), reader.Boolean("usesSpecialTokens"));
    }
}
