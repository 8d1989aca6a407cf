using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a dilated convolution network; made by <see cref="TimeSeriesEncoders"/>.</summary>
internal sealed class DilatedConvolutionEncoderFactory : TimeSeriesEncoderFactory
{
    public const string KindName = "timeseries.dilated-convolution";

    private const int DeepestDepth = 30;

    public DilatedConvolutionEncoderFactory(int embeddingDimension, int hiddenDimension, int depth, double dropout)
    {
        new OptionFaults()
            .AtLeast(embeddingDimension, 1)
            .AtLeast(hiddenDimension, 1)
            .InRange(depth, 0, DeepestDepth)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        (EmbeddingDimension, HiddenDimension, Depth, Dropout) = (embeddingDimension, hiddenDimension, depth, dropout);
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public override int EmbeddingDimension { get; }

    public int HiddenDimension { get; }

    public int Depth { get; }

    public double Dropout { get; }

    public override TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new DilatedConvolutionEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = EmbeddingDimension,
        ["hiddenDimension"] = HiddenDimension,
        ["depth"] = Depth,
        ["dropout"] = Dropout,
    };

    public static DilatedConvolutionEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new DilatedConvolutionEncoderFactory(reader.Integer("embeddingDimension"), reader.Integer("hiddenDimension"),
            reader.Integer("depth"), reader.Number("dropout"));
    }
}
