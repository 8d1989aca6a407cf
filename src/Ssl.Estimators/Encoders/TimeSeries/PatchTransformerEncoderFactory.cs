using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of a transformer over patches; made by <see cref="TimeSeriesEncoders"/>.</summary>
internal sealed class PatchTransformerEncoderFactory : TimeSeriesEncoderFactory
{
    public const string KindName = "timeseries.patch-transformer";

    public PatchTransformerEncoderFactory(int patchLength, int numberOfLayers, int dimension, int numberOfHeads, double dropout,
        bool instanceNormalization, bool channelIndependence)
    {
        new OptionFaults()
            .AtLeast(patchLength, 1)
            .AtLeast(numberOfLayers, 1)
            .AtLeast(dimension, 2)
            .AtLeast(numberOfHeads, 1)
            .Require(numberOfHeads < 1 || dimension % numberOfHeads == 0, nameof(dimension),
                $"must be a multiple of numberOfHeads {numberOfHeads}",
                dimension)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        (PatchLength, NumberOfLayers, EmbeddingDimension, NumberOfHeads, Dropout) = (patchLength, numberOfLayers, dimension, numberOfHeads,
            dropout);
        (InstanceNormalization, ChannelIndependence) = (instanceNormalization, channelIndependence);
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public int PatchLength { get; }

    public int NumberOfLayers { get; }

    public override int EmbeddingDimension { get; }

    public int NumberOfHeads { get; }

    public double Dropout { get; }

    public bool InstanceNormalization { get; }

    public bool ChannelIndependence { get; }

    public override int MinimumLength => PatchLength;

    public override bool EncodesPatches => true;

    public override int Steps(int length) => (length + PatchLength - 1) / PatchLength;

    public override int StepDimensionFor(SeriesLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        return ChannelIndependence ? checked(layout.Channels * EmbeddingDimension) : EmbeddingDimension;
    }

    public override TimeSeriesEncoder Create(SeriesLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new PatchTransformerEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["patchLength"] = PatchLength,
        ["numberOfLayers"] = NumberOfLayers,
        ["dimension"] = EmbeddingDimension,
        ["numberOfHeads"] = NumberOfHeads,
        ["dropout"] = Dropout,
        ["instanceNormalization"] = InstanceNormalization,
        ["channelIndependence"] = ChannelIndependence,
    };

    public static PatchTransformerEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new PatchTransformerEncoderFactory(reader.Integer("patchLength"), reader.Integer("numberOfLayers"),
            reader.Integer("dimension"),
            reader.Integer("numberOfHeads"), reader.Number("dropout"), reader.Boolean("instanceNormalization"),
                reader.Boolean("channelIndependence"));
    }
}
