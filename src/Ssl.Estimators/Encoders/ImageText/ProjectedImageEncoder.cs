using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>An image encoder whose embeddings lie in a space that it shares with a text encoder.</summary>
internal sealed class ProjectedImageEncoder : ImageEncoder
{
    [ComponentName(Name = "encoder")]
    private readonly ImageEncoder _encoder;

    [ComponentName(Name = "projection")]
    private readonly LinearLayer _projection;

    public ProjectedImageEncoder(ProjectedImageEncoderFactory factory, ImageNormalization normalization, ImageEncoder encoder, LinearLayer projection)
        : base(nameof(ProjectedImageEncoder), factory, normalization)
    {
        (_encoder, _projection, EmbeddingDimension) = (encoder, projection, factory.EmbeddingDimension);
        RegisterComponents();
    }

    /// <summary>What gives the embedding that is projected.</summary>
    public ImageEncoder Encoder => _encoder;

    public override int EmbeddingDimension { get; }

    public override bool TakesAnySize => _encoder.TakesAnySize;

    public override IReadOnlyList<string> Blocks => [.. _encoder.Blocks.Select(block => $"encoder.{block}"), "projection"];

    protected override Tensor EncodePixels(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return SharedSpace.Project(_projection, _encoder.EncodeStandardized(pixels)).MoveToOuterDisposeScope();
    }
}

/// <summary>An image encoder and the length of the vectors of the shared space.</summary>
internal sealed class ProjectedImageEncoderFactory : ImageEncoderFactory
{
    public const string KindName = "image.projected";

    private const string EncoderKey = "encoder", DimensionKey = "dimension";

    private readonly ImageEncoderFactory _encoder;

    private ProjectedImageEncoderFactory(ImageEncoderFactory encoder, int dimension) : base(encoder.NetworkShape)
    {
        new OptionFaults().AtLeast(dimension, 1).ThrowIfAny();
        (_encoder, EmbeddingDimension) = (encoder, dimension);
    }

    /// <summary>A factory with the sizes and the pixels' statistics of the encoder's.</summary>
    public static ImageEncoderFactory Of(ImageEncoderFactory encoder, int dimension)
    {
        var factory = new ProjectedImageEncoderFactory(encoder, dimension).Resizing(encoder.Shape);
        return encoder.Normalization is { } normalization ? factory.WithNormalization(normalization) : factory;
    }

    /// <summary>Describes what gives the embedding that is projected.</summary>
    public ImageEncoderFactory Encoder => _encoder;

    public override string Kind => KindName;

    public override int EmbeddingDimension { get; }

    public override bool UsesBatchStatistics => _encoder.UsesBatchStatistics;

    internal override bool StartsFromWeights => _encoder.StartsFromWeights;

    internal override bool RoundsToBFloat16 => _encoder.RoundsToBFloat16;

    internal override ImageEncoderFactory Architecture
    {
        get
        {
            var plain = Of(_encoder.Architecture, EmbeddingDimension);
            return Normalization is { } normalization ? plain.WithNormalization(normalization) : plain;
        }
    }

    public override ImageEncoder Create(RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return new ProjectedImageEncoder(this, EffectiveNormalization, _encoder.Create(streams), SharedSpace.Layer(_encoder, EmbeddingDimension, streams));
    }

    protected override void Describe(JsonObject json)
    {
        json[DimensionKey] = EmbeddingDimension;
        json[EncoderKey] = _encoder.ToJson();
    }

    public static ImageEncoderFactory Read(JsonObject json)
    {
        if (FromJson(json[EncoderKey] as JsonObject ?? throw new FormatException("A projected encoder has no encoder.")) is not ImageEncoderFactory encoder)
            throw new FormatException("The encoder of images within a projected one is of another kind.");
        return WithNormalizationOf(new ProjectedImageEncoderFactory(encoder, new EncoderJsonReader(json).Integer(DimensionKey)), json);
    }
}
