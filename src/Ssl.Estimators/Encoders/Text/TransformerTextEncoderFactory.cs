using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a transformer encoder; made by <see cref="TextEncoders.Transformer"/>.</summary>
internal sealed class TransformerTextEncoderFactory : TextEncoderFactory
{
    public const string KindName = "text.transformer";

    public TransformerTextEncoderFactory(int numberOfLayers, int dimension, int numberOfHeads, int feedForwardDimension, int maximumTokens,
        double dropout, TextPooling pooling)
    {
        new OptionFaults()
            .AtLeast(numberOfLayers, 1)
            .AtLeast(dimension, 1)
            .AtLeast(numberOfHeads, 1)
            .Require(numberOfHeads < 1 || dimension % numberOfHeads == 0, nameof(dimension),
                $"must be a multiple of numberOfHeads {numberOfHeads}", dimension)
            .AtLeast(feedForwardDimension, 1)
            .AtLeast(maximumTokens, 3)
            .InHalfOpenRange(dropout, 0, 1)
            .Defined(pooling)
            .ThrowIfAny();
        NumberOfLayers = numberOfLayers;
        EmbeddingDimension = dimension;
        NumberOfHeads = numberOfHeads;
        FeedForwardDimension = feedForwardDimension;
        MaximumTokens = maximumTokens;
        Dropout = dropout;
        Pooling = pooling;
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public int NumberOfLayers { get; }

    public override int EmbeddingDimension { get; }

    public int NumberOfHeads { get; }

    public int FeedForwardDimension { get; }

    public override int MaximumTokens { get; }

    public double Dropout { get; }

    public override bool UsesSpecialTokens => true;

    public TextPooling Pooling { get; }

    public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(streams);
        return new TransformerTextEncoder(this, vocabulary, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["numberOfLayers"] = NumberOfLayers,
        ["dimension"] = EmbeddingDimension,
        ["numberOfHeads"] = NumberOfHeads,
        ["feedForwardDimension"] = FeedForwardDimension,
        ["maximumTokens"] = MaximumTokens,
        ["dropout"] = Dropout,
        ["pooling"] = Pooling.ToString(),
    };

    public static TransformerTextEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        string pooling = reader.Text("pooling");
        if (!Enum.TryParse(pooling, out TextPooling parsed))
        {
            throw new FormatException($"The description of the encoder '{KindName}' has the unknown pooling '{pooling}'. "
                + $"Known: {string.Join(", ", Enum.GetNames<TextPooling>())}.");
        }
        return new TransformerTextEncoderFactory(reader.Integer("numberOfLayers"), reader.Integer("dimension"),
            reader.Integer("numberOfHeads"), reader.Integer("feedForwardDimension"), reader.Integer("maximumTokens"),
            reader.Number("dropout"), parsed);
    }
}
