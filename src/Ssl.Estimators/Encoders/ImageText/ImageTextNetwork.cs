using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>How an encoder of images and one of texts become one network: its sizes, without weights.</summary>
internal abstract record ImageTextNetwork
{
    private protected const string KindKey = "kind";

    /// <summary>Length of the embedding of a row.</summary>
    public abstract int EmbeddingDimension(ImageEncoderFactory images, TextEncoderFactory texts);

    /// <summary>Whether encoders of these kinds can be put together.</summary>
    public abstract bool Takes(ImageEncoderFactory images, TextEncoderFactory texts);

    /// <summary>The network around two encoders.</summary>
    public abstract Encoder<ImageTextBatch> Create(ImageEncoder images, TextEncoder texts, RandomStreams streams);

    /// <summary>The sizes as JSON; null where there are none to tell.</summary>
    public abstract JsonObject? ToJson();

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">It is of no known kind.</exception>
    public static ImageTextNetwork Read(JsonObject? json) => json is null ? new TwoTowerNetwork()
        : (string?)json[KindKey] == FusionNetwork.KindName ? FusionNetwork.Read(json)
        : throw new FormatException($"\"{json[KindKey]}\" is no known network of images and texts.");
}

/// <summary>Side by side, with one space for both.</summary>
internal sealed record TwoTowerNetwork : ImageTextNetwork
{
    public override int EmbeddingDimension(ImageEncoderFactory images, TextEncoderFactory texts) => images.EmbeddingDimension + texts.EmbeddingDimension;

    public override bool Takes(ImageEncoderFactory images, TextEncoderFactory texts) => images is ProjectedImageEncoderFactory
        && texts is ProjectedTextEncoderFactory && images.EmbeddingDimension == texts.EmbeddingDimension;

    public override TwoTowerEncoder Create(ImageEncoder images, TextEncoder texts, RandomStreams streams)
        => new((ProjectedImageEncoder)images, (ProjectedTextEncoder)texts);

    public override JsonObject? ToJson() => null;
}

/// <summary>A transformer over the patches of the one and the tokens of the other.</summary>
/// <param name="NumberOfLayers">Its blocks. At least 1.</param>
/// <param name="Dimension">Length of its vectors. A multiple of <paramref name="NumberOfHeads"/>.</param>
/// <param name="NumberOfHeads">Attention heads. At least 1.</param>
/// <param name="Dropout">Share dropped in training. From 0 to less than 1.</param>
internal sealed record FusionNetwork(int NumberOfLayers, int Dimension, int NumberOfHeads, double Dropout) : ImageTextNetwork
{
    public const string KindName = "fusion";

    private const string LayersKey = "numberOfLayers", DimensionKey = "dimension", HeadsKey = "numberOfHeads", DropoutKey = "dropout";

    public override int EmbeddingDimension(ImageEncoderFactory images, TextEncoderFactory texts) => Dimension;

    public override bool Takes(ImageEncoderFactory images, TextEncoderFactory texts) => images.EncodesPatches;

    public override FusionEncoder Create(ImageEncoder images, TextEncoder texts, RandomStreams streams) => new((PatchEncoder)images, texts, this, streams);

    public override JsonObject ToJson() => new()
    {
        [KindKey] = KindName,
        [LayersKey] = NumberOfLayers,
        [DimensionKey] = Dimension,
        [HeadsKey] = NumberOfHeads,
        [DropoutKey] = Dropout,
    };

    public static new FusionNetwork Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        var network = new FusionNetwork(reader.Integer(LayersKey), reader.Integer(DimensionKey), reader.Integer(HeadsKey), reader.Number(DropoutKey));
        new OptionFaults()
            .AtLeast(network.NumberOfLayers, 1, LayersKey)
            .AtLeast(network.NumberOfHeads, 1, HeadsKey)
            .AtLeast(network.Dimension, 1, DimensionKey)
            .InHalfOpenRange(network.Dropout, 0, 1, DropoutKey)
            .Require(network.NumberOfHeads < 1 || network.Dimension % network.NumberOfHeads == 0, DimensionKey, "must be a multiple of numberOfHeads", network.Dimension)
            .ThrowIfAny();
        return network;
    }
}
