using System.Text.Json.Nodes;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Describes a network of BERT's kind; made where pretrained weights are read.</summary>
internal sealed class BertTextEncoderFactory : TextEncoderFactory
{
    public const string KindName = "text.bert";

    public BertTextEncoderFactory(BertSizes sizes)
    {
        sizes.Check();
        Sizes = sizes;
    }

    public BertSizes Sizes { get; }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public override int EmbeddingDimension => Sizes.Dimension;

    public override int MaximumTokens => Sizes.MaximumTokens;

    public override bool UsesSpecialTokens => true;

    public override TextEncoder Create(TokenVocabulary vocabulary, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(streams);
        return vocabulary.Size <= Sizes.Words
            ? new BertTextEncoder(Sizes, streams)
            : throw new FormatException($"The network has vectors for {Sizes.Words} tokens, the vocabulary has {vocabulary.Size}: they do not belong "
                + "together.");
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["words"] = Sizes.Words,
        ["numberOfLayers"] = Sizes.NumberOfLayers,
        ["dimension"] = Sizes.Dimension,
        ["numberOfHeads"] = Sizes.NumberOfHeads,
        ["feedForwardDimension"] = Sizes.FeedForwardDimension,
        ["positions"] = Sizes.Positions,
        ["firstPosition"] = Sizes.FirstPosition,
        ["tokenTypes"] = Sizes.TokenTypes,
        ["relativePositions"] = Sizes.RelativePositions,
        ["layerNormEpsilon"] = Sizes.LayerNormEpsilon,
        ["activation"] = Sizes.Activation.ToString(),
        ["dropout"] = Sizes.Dropout,
        ["maximumTokens"] = Sizes.MaximumTokens,
        ["pooling"] = Sizes.Pooling.ToString(),
        ["unitLength"] = Sizes.UnitLength,
    };

    public static BertTextEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new BertTextEncoderFactory(new BertSizes
        {
            Words = reader.Integer("words"),
            NumberOfLayers = reader.Integer("numberOfLayers"),
            Dimension = reader.Integer("dimension"),
            NumberOfHeads = reader.Integer("numberOfHeads"),
            FeedForwardDimension = reader.Integer("feedForwardDimension"),
            Positions = reader.Integer("positions"),
            FirstPosition = reader.Integer("firstPosition"),
            TokenTypes = reader.Integer("tokenTypes"),
            RelativePositions = reader.Integer("relativePositions"),
            LayerNormEpsilon = reader.Number("layerNormEpsilon"),
            Activation = Known<BertActivation>(reader.Text("activation"), "activation"),
            Dropout = reader.Number("dropout"),
            MaximumTokens = reader.Integer("maximumTokens"),
            Pooling = Known<TextPooling>(reader.Text("pooling"), "pooling"),
            UnitLength = reader.Boolean("unitLength"),
        });
    }

    private static T Known<T>(string name, string what) where T : struct, Enum => Enum.TryParse(name, out T value)
        ? value
        : throw new FormatException($"The description of the encoder '{KindName}' has the unknown {what} '{name}'. "
            + $"Known: {string.Join(", ", Enum.GetNames<T>())}.");
}
