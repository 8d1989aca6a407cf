using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a small convolutional network; made by <see cref="ImageEncoders.SmallConvNet"/>.</summary>
internal sealed class ConvNetEncoderFactory : ImageEncoderFactory
{
    public const string KindName = "image.convnet";

    public ConvNetEncoderFactory(ImageShape shape, int numberOfStages, int width) : base(shape)
    {
        new OptionFaults()
            .InRange(numberOfStages, 1, 6)
            .AtLeast(width, 1)
            .ThrowIfAny();
        (NumberOfStages, Width) = (numberOfStages, width);
    }

    public override string Kind => KindName;

    public int NumberOfStages { get; }

    /// <summary>Channels of the first stage; each later stage has twice as many.</summary>
    public int Width { get; }

    public override int EmbeddingDimension => Width << (NumberOfStages - 1);

    internal override bool RoundsToBFloat16 => true;

    public override ImageEncoder Create(RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(streams);
        return new ConvNetEncoder(this, EffectiveNormalization, streams);
    }

    protected override void Describe(JsonObject json)
    {
        json["numberOfStages"] = NumberOfStages;
        json["baseWidth"] = Width;
    }

    public static ImageEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return WithNormalizationOf(
            new ConvNetEncoderFactory(ReadShape(json), reader.Integer("numberOfStages"), reader.Integer("baseWidth")), json);
    }
}
