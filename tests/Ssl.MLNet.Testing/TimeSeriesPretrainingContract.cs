using Microsoft.ML;
using Microsoft.ML.Data;
using Ssl.Estimators;

namespace Ssl.MLNet.Testing;

/// <summary>A short series of two channels: waves of one of four rates, of differing lengths.</summary>
public sealed class SeriesRow : ContractRow
{
    public float[] Series { get; set; } = [];
}

/// <summary>The contract of a method for time series.</summary>
public abstract class TimeSeriesPretrainingContract : PretrainingContract<SeriesRow>
{
    protected static readonly TimeSeriesEncoderFactory Convolution = TimeSeriesEncoders.DilatedConvolution(16, 8, depth: 3);

    protected static readonly TimeSeriesEncoderFactory Patches = TimeSeriesEncoders.PatchTransformer(4, numberOfLayers: 1, dimension: 16,
        numberOfHeads: 2);

    protected override IReadOnlyList<string> TrainingColumns => ["Series"];

    /// <summary>The options of a method, small.</summary>
    protected static TOptions Small<TOptions>(Action<PretrainingOptions>? change, TimeSeriesEncoderFactory encoder)
        where TOptions : TimeSeriesPretrainingOptions, new()
    {
        var options = new TOptions { Encoder = encoder, NumberOfChannels = 2, BatchSize = 16, NumberOfEpochs = 2, LearningRate = 1e-3 };
        change?.Invoke(options);
        return options;
    }

    protected override List<SeriesRow> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (kind, length) = (random.Next(4), random.Next(16, 25));
            float[] first = [.. Enumerable.Range(0, length).Select(t => MathF.Sin(t * (kind + 1) * 0.3f) + random.NextSingle() * 0.2f)];
            float[] second = [.. Enumerable.Range(0, length).Select(t => MathF.Cos(t * (kind + 1) * 0.3f) * 5 + 10)];
            return new SeriesRow { Id = i, Label = $"rate {kind}", Numbers = [i, -i], Series = [.. first, .. second] };
        })];
    }

    protected override IReadOnlyCollection<string> Prepared => [.. base.Prepared, "PerTimestamp", "Spectrogram"];

    // Of sounds the bands are the channels.
    protected override void Prepare(string option, PretrainingOptions options)
    {
        base.Prepare(option, options);
        if (option == "Spectrogram")
            ((TimeSeriesPretrainingOptions)options).NumberOfChannels = null;
    }

    // Series of one length.
    protected override IDataView ViewFor(string option, MLContext mlContext, int count)
    {
        if (option != "PerTimestamp")
            return base.ViewFor(option, mlContext, count);
        const int Length = 16;
        var schema = SchemaDefinition.Create(typeof(SeriesRow));
        schema["Series"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2 * Length);
        return mlContext.Data.LoadFromEnumerable(Rows(count).Select(row => new SeriesRow
        {
            Id = row.Id, Label = row.Label, Numbers = row.Numbers, Series = [.. row.Series[..Length], .. row.Series[^Length..]],
        }).ToArray(), schema);
    }

    protected override (IReadOnlyList<SeriesRow> Rows, string Word) Unusable
        => ([new SeriesRow(), new SeriesRow { Series = [float.NaN, float.NaN, float.NaN, float.NaN] }], "timestamps");

    protected override IReadOnlyList<SeriesRow> Odd =>
    [
        new SeriesRow(),
        new SeriesRow { Series = [float.NaN, float.NaN] },
        new SeriesRow { Series = [1, 2, float.NaN, 4, float.PositiveInfinity, 6] },
        new SeriesRow { Series = [.. Enumerable.Repeat(1e9f, 200)] },
    ];

    protected override (string Column, string Expected, string Got) Wrong => ("Label", "a vector of numbers", "String");
}
