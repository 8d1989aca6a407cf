using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Transformers;

/// <summary>A fitted encoder of time series: the scale of the channels and the network.</summary>
internal sealed class TimeSeriesEncoderModel : NetworkEncoderModel<TimeSeriesEncoder>
{
    internal const string ModalityName = "timeseries";

    private const string EncoderKey = "encoder", ScalingKey = "scaling", LengthKey = "length", PerTimestampKey = "perTimestamp";

    private readonly TimeSeriesEncoderFactory _factory;
    private readonly SeriesLayout _layout;
    private readonly SeriesScaling _scaling;

    private TimeSeriesEncoderModel(Parts parts, TimeSeriesEncoderFactory factory, SeriesLayout layout, SeriesScaling scaling) : base(parts)
        => (_factory, _layout, _scaling) = (factory, layout, scaling);

    public override string Modality => ModalityName;

    public override int Dimension => _factory.DimensionFor(_layout);

    public override IReadOnlyList<InputKind> InputKinds => [InputKind.Number];

    /// <summary>A model with its own copy of the encoder's weights.</summary>
    public static TimeSeriesEncoderModel CopyOf(TimeSeriesEncoder encoder, TimeSeriesEncoderFactory factory, SeriesLayout layout,
        SeriesScaling scaling, Device device, string inputColumn, string outputColumn, JsonObject trainingFacts)
        => new(Parts.Copy(encoder, streams => factory.Create(layout, streams), device, [inputColumn], outputColumn, trainingFacts), factory,
            layout, scaling);

    public override void CheckColumn(string name, ColumnShape shape)
        => SeriesColumns.Check(name, shape, _layout.PerTimestamp, _factory.MinimumLength, _layout);

    public override RowFormat CreateFormat() => new SeriesRowFormat(InputColumns[0], _scaling, _factory.MinimumLength);

    private protected override TimeSeriesEncoder CreateNetwork(RandomStreams streams) => _factory.Create(_layout, streams);

    private protected override TimeSeriesEncoderModel With(Parts parts) => new(parts, _factory, _layout, _scaling);

    private protected override JsonObject DescribePreprocessing() => new()
    {
        [EncoderKey] = _factory.ToJson(),
        [ScalingKey] = _scaling.ToJson(),
        [LengthKey] = _layout.Length,
        [PerTimestampKey] = _layout.PerTimestamp,
    };

    /// <summary>A model of what <see cref="EncoderModel.Describe"/> gave, on the CPU.</summary>
    /// <param name="content">The description.</param>
    /// <param name="fill">Fills the network's weights.</param>
    /// <exception cref="FormatException">The description is incomplete.</exception>
    public static TimeSeriesEncoderModel Create(JsonObject content, Action<IReadOnlyDictionary<string, Tensor>> fill)
    {
        try
        {
            var factory = EncoderFactory.FromJson(content[EncoderKey]!.AsObject()) as TimeSeriesEncoderFactory
                ?? throw new FormatException("The archive says it holds an encoder of time series, but describes an encoder of another kind.");
            var scaling = SeriesScaling.FromJson(content[ScalingKey]!.AsObject());
            var layout = new SeriesLayout(scaling.Channels, (int?)content[LengthKey], (bool)content[PerTimestampKey]!);
            return new TimeSeriesEncoderModel(Parts.Read(content, streams => factory.Create(layout, streams), fill), factory, layout,
                scaling);
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"The archive's description of the encoder of time series is incomplete: {e.Message}", e);
        }
    }

    /// <summary>Announces the modality, also in a process that only loads a saved model.</summary>
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A process that only loads a model never names this type.")]
    internal static void Register() => EncoderModelReader.Register(ModalityName, Create);

    private protected override SeriesBatch ToBatch(ReadOnlySpan<RawRow> rows)
    {
        var series = new SeriesRows(_scaling, _factory.MinimumLength);
        var order = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            order[i] = i;
            var numbers = rows[i].Numbers.Span;
            SeriesRowFormat.RequireChannels(InputColumns[0], numbers.Length, _scaling.Channels);
            if (_layout.PerTimestamp && numbers.Length / _scaling.Channels != _layout.Length)
            {
                throw new InvalidOperationException($"A series in column '{InputColumns[0]}' has {numbers.Length / _scaling.Channels} timestamps, "
                    + $"the encoder was fitted on {_layout.Length}, and gives one embedding a timestamp.");
            }
            series.Add(numbers);
        }
        return series.ToBatch(order);
    }
}
