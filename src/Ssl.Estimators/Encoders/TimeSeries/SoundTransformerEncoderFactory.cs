using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a convolution network on samples with a transformer behind it; made by <see cref="TimeSeriesEncoders"/>.</summary>
internal sealed class SoundTransformerEncoderFactory : TimeSeriesEncoderFactory
{
    public const string KindName = "timeseries.sound-transformer";

    private const int MostConvolutions = 12;

    public SoundTransformerEncoderFactory(int embeddingDimension, int convolutionWidth, int numberOfConvolutions, int numberOfLayers, int numberOfHeads,
        double dropout)
    {
        new OptionFaults()
            .AtLeast(embeddingDimension, 2)
            .AtLeast(convolutionWidth, 1)
            .InRange(numberOfConvolutions, 1, MostConvolutions)
            .AtLeast(numberOfLayers, 1)
            .AtLeast(numberOfHeads, 1)
            .Require(numberOfHeads < 1 || embeddingDimension % numberOfHeads == 0, nameof(embeddingDimension),
                $"must be a multiple of numberOfHeads {numberOfHeads}", embeddingDimension)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        (EmbeddingDimension, ConvolutionWidth, NumberOfConvolutions) = (embeddingDimension, convolutionWidth, numberOfConvolutions);
        (NumberOfLayers, NumberOfHeads, Dropout) = (numberOfLayers, numberOfHeads, dropout);
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public override int EmbeddingDimension { get; }

    public int ConvolutionWidth { get; }

    public int NumberOfConvolutions { get; }

    public int NumberOfLayers { get; }

    public int NumberOfHeads { get; }

    public double Dropout { get; }

    /// <summary>Samples behind a step.</summary>
    public int StepLength => SoundConvolution.FirstStride << (NumberOfConvolutions - 1);

    public override int MinimumLength => StepLength;

    public override int Steps(int length) => (length + StepLength - 1) / StepLength;

    public override TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new SoundTransformerEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = EmbeddingDimension,
        ["convolutionWidth"] = ConvolutionWidth,
        ["numberOfConvolutions"] = NumberOfConvolutions,
        ["numberOfLayers"] = NumberOfLayers,
        ["numberOfHeads"] = NumberOfHeads,
        ["dropout"] = Dropout,
    };

    public static SoundTransformerEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new SoundTransformerEncoderFactory(reader.Integer("embeddingDimension"), reader.Integer("convolutionWidth"),
            reader.Integer("numberOfConvolutions"), reader.Integer("numberOfLayers"), reader.Integer("numberOfHeads"), reader.Number("dropout"));
    }
}
