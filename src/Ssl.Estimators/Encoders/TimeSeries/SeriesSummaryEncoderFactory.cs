using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a <see cref="SeriesSummaryEncoder"/>.</summary>
internal sealed class SeriesSummaryEncoderFactory : TimeSeriesEncoderFactory
{
    public const string KindName = "timeseries.summary";

    /// <param name="numberOfSegments">Segments of a series. At least 1.</param>
    public SeriesSummaryEncoderFactory(int numberOfSegments)
    {
        new OptionFaults().AtLeast(numberOfSegments, 1).ThrowIfAny();
        NumberOfSegments = numberOfSegments;
    }

    public override string Kind => KindName;

    public int NumberOfSegments { get; }

    /// <summary>Numbers of one channel.</summary>
    public override int EmbeddingDimension => NumberOfSegments + SeriesSummaryEncoder.NumberOfStatistics;

    // One step: the series.
    public override int Steps(int length) => 1;

    public override int StepDimensionFor(SeriesLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return layout.Channels * EmbeddingDimension;
    }

    public override TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return new SeriesSummaryEncoder(this, layout);
    }

    public override JsonObject ToJson() => new() { [KindProperty] = Kind, ["numberOfSegments"] = NumberOfSegments };

    public static SeriesSummaryEncoderFactory Read(JsonObject json) => new(new EncoderJsonReader(json).Integer("numberOfSegments"));
}
