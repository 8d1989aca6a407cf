using System.Text.Json.Nodes;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Encoders;

/// <summary>Sizes of an MLP; made by <see cref="TabularEncoders.Mlp"/>.</summary>
internal sealed class MlpTabularEncoderFactory : TabularEncoderFactory
{
    public const string KindName = "tabular.mlp";

    public MlpTabularEncoderFactory(int numberOfLayers, int dimension, double dropout)
    {
        new OptionFaults().AtLeast(numberOfLayers, 1).AtLeast(dimension, 1).InHalfOpenRange(dropout, 0, 1).ThrowIfAny();
        (NumberOfLayers, EmbeddingDimension, Dropout) = (numberOfLayers, dimension, dropout);
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public int NumberOfLayers { get; }

    public override int EmbeddingDimension { get; }

    public double Dropout { get; }

    public override TabularEncoder Create(TableLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new MlpTabularEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["numberOfLayers"] = NumberOfLayers,
        ["dimension"] = EmbeddingDimension,
        ["dropout"] = Dropout,
    };

    public static MlpTabularEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new MlpTabularEncoderFactory(reader.Integer("numberOfLayers"), reader.Integer("dimension"), reader.Number("dropout"));
    }
}

/// <summary>Sizes of a residual MLP; made by <see cref="TabularEncoders.ResidualMlp"/>.</summary>
internal sealed class ResidualMlpTabularEncoderFactory : TabularEncoderFactory
{
    public const string KindName = "tabular.residual-mlp";

    public ResidualMlpTabularEncoderFactory(int numberOfBlocks, int dimension, NumericEmbedding numericEmbedding, int cellDimension,
        double dropout)
    {
        new OptionFaults()
            .AtLeast(numberOfBlocks, 1)
            .AtLeast(dimension, 1)
            .Defined(numericEmbedding)
            .AtLeast(cellDimension, 1)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        NumberOfBlocks = numberOfBlocks;
        EmbeddingDimension = dimension;
        NumericEmbedding = numericEmbedding;
        CellDimension = cellDimension;
        Dropout = dropout;
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public int NumberOfBlocks { get; }

    public override int EmbeddingDimension { get; }

    public NumericEmbedding NumericEmbedding { get; }

    public int CellDimension { get; }

    public double Dropout { get; }

    public override TabularEncoder Create(TableLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new ResidualMlpTabularEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["numberOfBlocks"] = NumberOfBlocks,
        ["dimension"] = EmbeddingDimension,
        ["numericEmbedding"] = NumericEmbedding.ToString(),
        ["cellDimension"] = CellDimension,
        ["dropout"] = Dropout,
    };

    public static ResidualMlpTabularEncoderFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        string embedding = reader.Text("numericEmbedding");
        if (!Enum.TryParse(embedding, out NumericEmbedding parsed))
        {
            throw new FormatException($"The description of the encoder '{KindName}' has the unknown numeric embedding '{embedding}'. "
                + $"Known: {string.Join(", ", Enum.GetNames<NumericEmbedding>())}.");
        }
        return new ResidualMlpTabularEncoderFactory(reader.Integer("numberOfBlocks"), reader.Integer("dimension"), parsed,
            reader.Integer("cellDimension"), reader.Number("dropout"));
    }
}

/// <summary>Sizes of a transformer over columns; made by <see cref="TabularEncoders.ColumnTransformer"/>.</summary>
internal sealed class ColumnTransformerFactory : TabularEncoderFactory
{
    public const string KindName = "tabular.column-transformer";

    public ColumnTransformerFactory(int numberOfLayers, int dimension, int numberOfHeads, int feedForwardDimension, double dropout)
    {
        new OptionFaults()
            .AtLeast(numberOfLayers, 1)
            .AtLeast(dimension, 1)
            .AtLeast(numberOfHeads, 1)
            .Require(numberOfHeads < 1 || dimension % numberOfHeads == 0, nameof(dimension),
                $"must be a multiple of numberOfHeads {numberOfHeads}", dimension)
            .AtLeast(feedForwardDimension, 1)
            .InHalfOpenRange(dropout, 0, 1)
            .ThrowIfAny();
        NumberOfLayers = numberOfLayers;
        EmbeddingDimension = dimension;
        NumberOfHeads = numberOfHeads;
        FeedForwardDimension = feedForwardDimension;
        Dropout = dropout;
    }

    public override string Kind => KindName;

    internal override bool RoundsToBFloat16 => true;

    public int NumberOfLayers { get; }

    public override int EmbeddingDimension { get; }

    public int NumberOfHeads { get; }

    public int FeedForwardDimension { get; }

    public double Dropout { get; }

    public override TabularEncoder Create(TableLayout layout, RandomStreams streams)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(streams);
        return new ColumnTransformerEncoder(this, layout, streams);
    }

    public override JsonObject ToJson() => new()
    {
        [KindProperty] = Kind,
        ["numberOfLayers"] = NumberOfLayers,
        ["dimension"] = EmbeddingDimension,
        ["numberOfHeads"] = NumberOfHeads,
        ["feedForwardDimension"] = FeedForwardDimension,
        ["dropout"] = Dropout,
    };

    public static ColumnTransformerFactory Read(JsonObject json)
    {
        var reader = new EncoderJsonReader(json);
        return new ColumnTransformerFactory(reader.Integer("numberOfLayers"), reader.Integer("dimension"), reader.Integer("numberOfHeads"),
            reader.Integer("feedForwardDimension"), reader.Number("dropout"));
    }
}
