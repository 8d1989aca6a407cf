using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators;

/// <summary>How the vectors of an image's patches become the image's.</summary>
public enum ImagePooling
{
    /// <summary>The mean over the patches.</summary>
    Mean,

    /// <summary>The class token, which stands before the patches.</summary>
    Class,
}

/// <summary>Sizes of a vision transformer; made by <see cref="ImageEncoders"/>.</summary>
internal sealed class VisionTransformerEncoderFactory : ImageEncoderFactory
{
    public const string KindName = "image.vit";

    private const string HiddenKey = "hiddenDimension", EpsilonKey = "layerNormEpsilon", DistillationKey = "hasDistillationToken";

    public VisionTransformerEncoderFactory(ImageShape shape, int patchSize, int numberOfLayers, int dimension, int numberOfHeads,
        ImagePooling pooling) : base(shape)
    {
        new OptionFaults()
            .AtLeast(patchSize, 1)
            .Require(patchSize < 1 || (shape.Height % patchSize == 0 && shape.Width % patchSize == 0), nameof(patchSize),
                $"must divide the image's height {shape.Height} and width {shape.Width}", patchSize)
            .AtLeast(numberOfLayers, 1)
            .AtLeast(dimension, 4)
            .Require(dimension % 4 == 0, nameof(dimension), "must be a multiple of 4", dimension)
            .AtLeast(numberOfHeads, 1)
            .Require(numberOfHeads < 1 || dimension % numberOfHeads == 0, nameof(dimension),
                $"must be a multiple of numberOfHeads {numberOfHeads}", dimension)
            .Defined(pooling)
            .ThrowIfAny();
        (PatchSize, NumberOfLayers, EmbeddingDimension, NumberOfHeads, Pooling) = (patchSize, numberOfLayers, dimension, numberOfHeads,
            pooling);
        HiddenDimension = VisionBlock.DefaultHiddenRatio * dimension;
    }

    public override string Kind => KindName;

    public int PatchSize { get; }

    public int NumberOfLayers { get; }

    public override int EmbeddingDimension { get; }

    public int NumberOfHeads { get; }

    public ImagePooling Pooling { get; }

    /// <summary>Width within a feed-forward network; four times the dimension unless set.</summary>
    public int HiddenDimension { get; init; }

    /// <summary>Added to a variance; 1e-6 unless set.</summary>
    public double LayerNormEpsilon { get; init; } = VisionBlock.DefaultEpsilon;

    /// <summary>Whether a second token stands behind the class token (DeiT, Touvron et al., 2021).</summary>
    public bool HasDistillationToken { get; init; }

    public override bool UsesBatchStatistics => false;

    public override bool EncodesPatches => true;

    internal override bool RoundsToBFloat16 => true;

    public override ImageEncoder Create(RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return new VisionTransformerEncoder(this, EffectiveNormalization, streams);
    }

    protected override void Describe(JsonObject json)
    {
        json["patchSize"] = PatchSize;
        json["numberOfLayers"] = NumberOfLayers;
        json["dimension"] = EmbeddingDimension;
        json["numberOfHeads"] = NumberOfHeads;
        json["pooling"] = Pooling.ToString();
        if (HiddenDimension != VisionBlock.DefaultHiddenRatio * EmbeddingDimension)
            json[HiddenKey] = HiddenDimension;
        if (LayerNormEpsilon != VisionBlock.DefaultEpsilon)
            json[EpsilonKey] = LayerNormEpsilon;
        if (HasDistillationToken)
            json[DistillationKey] = true;
    }

    public static ImageEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        string pooling = reader.Text("pooling");
        if (!Enum.TryParse(pooling, out ImagePooling parsed))
        {
            throw new FormatException($"The description of the encoder '{KindName}' has the unknown pooling '{pooling}'. "
                + $"Known: {string.Join(", ", Enum.GetNames<ImagePooling>())}.");
        }
        var dimension = reader.Integer("dimension");
        return WithNormalizationOf(new VisionTransformerEncoderFactory(ReadShape(json), reader.Integer("patchSize"),
            reader.Integer("numberOfLayers"), dimension, reader.Integer("numberOfHeads"), parsed)
        {
            HiddenDimension = json.ContainsKey(HiddenKey) ? reader.Integer(HiddenKey) : VisionBlock.DefaultHiddenRatio * dimension,
            LayerNormEpsilon = json.ContainsKey(EpsilonKey) ? reader.Number(EpsilonKey) : VisionBlock.DefaultEpsilon,
            HasDistillationToken = json.ContainsKey(DistillationKey) && reader.Boolean(DistillationKey),
        }, json);
    }
}
