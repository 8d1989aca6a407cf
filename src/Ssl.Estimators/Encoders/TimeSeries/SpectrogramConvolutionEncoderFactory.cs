using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a convolution network over frequencies and time; made by <see cref="TimeSeriesEncoders"/>.</summary>
internal sealed class SpectrogramConvolutionEncoderFactory : TimeSeriesEncoderFactory
{
    public const string KindName = "timeseries.spectrogram-convolution";

    /// <summary>Convolutions, each with half the bands and timestamps of the one before.</summary>
    public const int NumberOfBlocks = 3;

    public SpectrogramConvolutionEncoderFactory(int embeddingDimension, int width, double dropout)
    {
        new OptionFaults()
            .AtLeast(embeddingDimension, 1)
            .AtLeast(width, 1)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        (EmbeddingDimension, Width, Dropout) = (embeddingDimension, width, dropout);
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public override int EmbeddingDimension { get; }

    public int Width { get; }

    public double Dropout { get; }

    /// <summary>Timestamps behind a step.</summary>
    public static int StepLength => 1 << NumberOfBlocks;

    public override int MinimumLength => StepLength;

    public override int Steps(int length) => (length + StepLength - 1) / StepLength;

    public override TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        if (layout.Channels < StepLength)
        {
            throw new ArgumentException($"SpectrogramConvolution halves the channels {NumberOfBlocks} times and needs {StepLength} at least, got {layout.Channels}. "
                + "Set Spectrogram, whose bands are the channels, or take another encoder of TimeSeriesEncoders.", nameof(layout));
        }
        return new SpectrogramConvolutionEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = EmbeddingDimension,
        ["width"] = Width,
        ["dropout"] = Dropout,
    };

    public static SpectrogramConvolutionEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new SpectrogramConvolutionEncoderFactory(reader.Integer("embeddingDimension"), reader.Integer("width"), reader.Number("dropout"));
    }
}
