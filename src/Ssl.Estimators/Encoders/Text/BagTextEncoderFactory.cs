using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a bag encoder; made by <see cref="TextEncoders.Bag"/>.</summary>
internal sealed class BagTextEncoderFactory : TextEncoderFactory
{
    public const string KindName = "text.bag";

    public BagTextEncoderFactory(int embeddingDimension, int tokenDimension, int hiddenDimension, int maximumTokens, double dropout)
    {
        new OptionFaults()
            .AtLeast(embeddingDimension, 1)
            .AtLeast(tokenDimension, 1)
            .AtLeast(hiddenDimension, 1)
            .AtLeast(maximumTokens, 3)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        EmbeddingDimension = embeddingDimension;
        TokenDimension = tokenDimension;
        HiddenDimension = hiddenDimension;
        MaximumTokens = maximumTokens;
        Dropout = dropout;
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public override int EmbeddingDimension { get; }

    public int TokenDimension { get; }

    public int HiddenDimension { get; }

    public override int MaximumTokens { get; }

    public double Dropout { get; }

    public override bool UsesSpecialTokens => false;

    public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(streams);
        return new BagTextEncoder(this, vocabulary, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = EmbeddingDimension,
        ["tokenDimension"] = TokenDimension,
        ["hiddenDimension"] = HiddenDimension,
        ["maximumTokens"] = MaximumTokens,
        ["dropout"] = Dropout,
    };

    public static BagTextEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new BagTextEncoderFactory(reader.Integer("embeddingDimension"), reader.Integer("tokenDimension"),
            reader.Integer("hiddenDimension"), reader.Integer("maximumTokens"), reader.Number("dropout"));
    }
}
