using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a convolution network that halves its steps; made by <see cref="TimeSeriesEncoders"/>.</summary>
internal sealed class PooledConvolutionEncoderFactory : TimeSeriesEncoderFactory
{
    public const string KindName = "timeseries.pooled-convolution";

    private const int MostBlocks = 16;

    public PooledConvolutionEncoderFactory(int embeddingDimension, int numberOfBlocks, int kernelSize, double dropout)
    {
        new OptionFaults()
            .AtLeast(embeddingDimension, 1)
            .InRange(numberOfBlocks, 1, MostBlocks)
            .AtLeast(kernelSize, 1)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        (EmbeddingDimension, NumberOfBlocks, KernelSize, Dropout) = (embeddingDimension, numberOfBlocks, kernelSize, dropout);
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public override int EmbeddingDimension { get; }

    public int NumberOfBlocks { get; }

    public int KernelSize { get; }

    public double Dropout { get; }

    /// <summary>Timestamps behind a step: 2 to the power of the blocks.</summary>
    public int StepLength => 1 << NumberOfBlocks;

    public override int MinimumLength => StepLength;

    public override int Steps(int length) => (length + StepLength - 1) / StepLength;

    public override TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new PooledConvolutionEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["embeddingDimension"] = EmbeddingDimension,
        ["numberOfBlocks"] = NumberOfBlocks,
        ["kernelSize"] = KernelSize,
        ["dropout"] = Dropout,
    };

    public static PooledConvolutionEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new PooledConvolutionEncoderFactory(reader.Integer("embeddingDimension"), reader.Integer("numberOfBlocks"),
            reader.Integer("kernelSize"), reader.Number("dropout"));
    }
}
