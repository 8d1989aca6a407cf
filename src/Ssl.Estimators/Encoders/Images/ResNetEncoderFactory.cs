using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a residual network; made by <see cref="ImageEncoders"/>.</summary>
internal sealed class ResNetEncoderFactory : ImageEncoderFactory
{
    public const string KindName = "image.resnet";

    public ResNetEncoderFactory(ImageShape shape, int depth, int width, ImageStem stem) : base(shape)
    {
        new OptionFaults()
            .Require(depth is 18 or 34 or 50, nameof(depth), "must be 18, 34 or 50", depth)
            .AtLeast(width, 1)
            .Defined(stem)
            .ThrowIfAny();
        (Depth, Width, Stem) = (depth, width, stem);
    }

    public override string Kind => KindName;

    /// <summary>Layers with weights, the classifier that is not there included: 18, 34 or 50.</summary>
    public int Depth { get; }

    /// <summary>Channels of the first stage; each later stage has twice as many.</summary>
    public int Width { get; }

    public ImageStem Stem { get; }

    public bool IsBottleneck => Depth == 50;

    public int[] BlocksPerStage => Depth == 18 ? [2, 2, 2, 2] : [3, 4, 6, 3];

    public override int EmbeddingDimension => Width * 8 * (IsBottleneck ? 4 : 1);

    internal override bool RoundsToBFloat16 => true;

    public override ImageEncoder Create(RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return new ResNetEncoder(this, EffectiveNormalization, streams);
    }

    protected override void Describe(JsonObject json)
    {
        json["depth"] = Depth;
        json["baseWidth"] = Width;
        json["stem"] = Stem.ToString();
    }

    public static ImageEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        string stem = reader.Text("stem");
        if (!Enum.TryParse(stem, out ImageStem parsed))
        {
            throw new FormatException($"The description of the encoder '{KindName}' has the unknown stem '{stem}'. "
                + $"Known: {string.Join(", ", Enum.GetNames<ImageStem>())}.");
        }
        return WithNormalizationOf(
            new ResNetEncoderFactory(ReadShape(json), reader.Integer("depth"), reader.Integer("baseWidth"), parsed), json);
    }
}
