using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.ML;
using Ssl.Estimators.Data;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>A column of time series. A row without a single value, or with too few timestamps, is not learned from.</summary>
/// <param name="column">The column.</param>
/// <param name="factory">The encoder.</param>
/// <param name="layout">The series.</param>
/// <param name="scaling">Learned of the training data.</param>
/// <param name="minimumLength">The fewest timestamps of a series that is learned from; null takes the encoder's.</param>
/// <param name="spectrogram">Makes series of the column's sounds; null where it holds series.</param>
internal sealed class SeriesRowFormat(string column, TimeSeriesEncoderFactory factory, SeriesLayout layout, SeriesScaling scaling,
    int? minimumLength = null, LogMelSpectrogram? spectrogram = null) : RowFormat([column])
{
    public const string KindName = "timeseries";

    private const string ScalingKey = "scaling", LengthKey = "length", PerTimestampKey = "perTimestamp",
        SpectrogramKey = "spectrogram";

    private readonly int _minimumLength = minimumLength ?? factory.MinimumLength;

    public override string Kind => KindName;

    /// <summary>The encoder's description.</summary>
    public TimeSeriesEncoderFactory Factory => factory;

    /// <summary>The series.</summary>
    public SeriesLayout Layout => layout;

    /// <summary>Brings values to the common scale.</summary>
    public SeriesScaling Scaling => scaling;

    /// <summary>Makes series of the column's sounds; null where it holds series.</summary>
    public LogMelSpectrogram? Spectrogram => spectrogram;

    public override string Needed => _minimumLength > 1 ? $"a series of {_minimumLength} timestamps" : "a value";

    internal override bool RoundsToBFloat16 => factory.RoundsToBFloat16;

    public override int EmbeddingDimension => factory.DimensionFor(layout);

    public override void CheckColumn(string name, ColumnShape shape)
        => SeriesColumns.Check(name, shape, layout.PerTimestamp, factory.MinimumLength, layout, spectrogram: spectrogram);

    public override RowStore NewStore()
        => new SeriesRows(scaling, factory.MinimumLength, Columns[0], _minimumLength, layout.PerTimestamp ? layout.Length : null, spectrogram);

    public override Encoder CreateEncoder(RandomStreams streams) => factory.Create(layout, streams);

    internal override PlainEncoder? LearnPlain(RowStore rows, long seed)
    {
        var longest = Enumerable.Range(0, rows.Count).Select(rows.Length).DefaultIfEmpty(1).Max();
        var plain = new SeriesSummaryEncoderFactory(SeriesSummaryEncoder.SegmentsFor(layout.Channels, longest));
        var format = new SeriesRowFormat(Columns[0], plain, layout, scaling, _minimumLength, spectrogram);
        using var streams = new RandomStreams(seed);
        using var network = format.CreateEncoder(streams);
        return new PlainEncoder("values", EncoderModel.CopyOf(network, format, CPU, "Values", []), SuitsTrees: true);
    }

    internal override RowFormat Learned() => new SeriesRowFormat(Columns[0], factory, layout, scaling, spectrogram: spectrogram);

    public override JsonObject ToJson()
    {
        var json = new JsonObject
        {
            [EncoderKey] = factory.ToJson(),
            [ScalingKey] = scaling.ToJson(),
            [LengthKey] = layout.Length,
            [PerTimestampKey] = layout.PerTimestamp,
        };
        if (spectrogram is not null)
            json[SpectrogramKey] = spectrogram.ToJson();
        return json;
    }

    public static SeriesRowFormat Read(JsonObject json, IReadOnlyList<string> columns)
    {
        var scaling = SeriesScaling.FromJson(json[ScalingKey]!.AsObject());
        var spectrogram = json[SpectrogramKey] is { } sound ? LogMelSpectrogram.FromJson(sound.AsObject()) : null;
        if (spectrogram is { FullScale: null } || spectrogram is not null && spectrogram.NumberOfBands != scaling.Channels)
            throw new FormatException("The description of the spectrogram does not fit the scales of its bands.");
        return new(columns[0], ReadEncoder<TimeSeriesEncoderFactory>(json, "time series"),
            new SeriesLayout(scaling.Channels, (int?)json[LengthKey], (bool)json[PerTimestampKey]!), scaling, spectrogram: spectrogram);
    }

    /// <summary>Learns the scale of a column's usable series.</summary>
    /// <param name="data">Has the column.</param>
    /// <param name="column">Its name.</param>
    /// <param name="channels">Channels of every series.</param>
    /// <param name="minimumLength">The fewest timestamps of a usable one.</param>
    /// <param name="scaling">How to scale.</param>
    /// <param name="warn">Told of what is of no use as it stands.</param>
    /// <param name="cancellationToken">Ends the pass.</param>
    /// <param name="spectrogram">Makes series of sounds; null where the column holds series.</param>
    public static SeriesScaling Learn(IDataView data, string column, int channels, int minimumLength, NumericScaling scaling,
        Action<string> warn, CancellationToken cancellationToken, LogMelSpectrogram? spectrogram = null)
    {
        var learner = new SeriesScaling.Learner(channels);
        foreach (var row in RowReader.All(data, [column], cancellationToken))
        {
            var series = SeriesRows.SeriesOf(row, spectrogram);
            SeriesRows.RequireChannels(column, series.Length, channels);
            if (SeriesRows.IsUsable(series, channels, minimumLength))
                learner.Add(series);
        }
        return learner.Learned(scaling, column, warn);
    }
}

/// <summary>The scaled values of many time series, one after the other: four bytes a value; NaN where there is none.</summary>
/// <param name="scaling">Brings values to the common scale.</param>
/// <param name="paddedLength">Batches are padded to at least so many timestamps.</param>
/// <param name="column">The column, to be named.</param>
/// <param name="minimumLength">The fewest timestamps of a series that is learned from.</param>
/// <param name="timestamps">The length that all series must have; null where they may differ.</param>
/// <param name="spectrogram">Makes series of the column's sounds; null where it holds series.</param>
internal sealed class SeriesRows(SeriesScaling scaling, int paddedLength, string column, int minimumLength = 1, int? timestamps = null,
    LogMelSpectrogram? spectrogram = null) : RowStore
{
    // Batches of so many timestamps are small for any encoder: they are not cut.
    private const long SmallBatch = 1 << 14;

    // What a batch may have of what one of its size has on average. Up to this padding costs less than smaller batches would.
    private const int PaddedShare = 4;

    // Series are computed together up to so many timestamps, and up to this ratio of the longest to the shortest.
    private const long TimestampsAtOnce = 1 << 18;
    private const int LongestToShortest = 2;

    // A list holds at most Array.MaxLength items.
    private const int Margin = 1 << 24;

    private readonly int _channels = scaling.Channels;
    private readonly RaggedRows<float> _rows = new();

    // By channel, what is told of a row whose values are hidden; null where it had several values.
    private readonly string?[] _hidden = [.. Enumerable.Range(0, scaling.Channels).Select(channel => scaling.ConstantText(channel) is { } only
        ? $"another value in channel {channel} of '{column}' than in the training data, which had {only} only: the encoder does not see it" : null)];

    public override int Count => _rows.Count;

    public override long Bytes => _rows.Bytes;

    public override bool IsFull => _rows.ItemCount > Array.MaxLength - Margin;

    public override string Content => string.Create(CultureInfo.InvariantCulture, $"{_rows.ItemCount:N0} values");

    public override int Length(int row) => _rows.Length(row) / _channels;

    internal override long? PaddedLimit(int batchSize)
    {
        var longest = 0;
        for (var row = 0; row < Count; row++)
            longest = Math.Max(longest, Length(row));
        var limit = Math.Max(SmallBatch, (long)(PaddedShare * (double)batchSize * _rows.ItemCount / _channels / Math.Max(1, Count)));
        return Math.Min(batchSize, Count) * (long)longest > limit ? limit : null;
    }

    public override bool Add(RawRow row, bool keepsEmpty)
    {
        var series = SeriesOf(row, spectrogram);
        RequireChannels(column, series.Length, _channels);
        if (!keepsEmpty && !IsUsable(series, _channels, minimumLength))
            return false;
        var length = series.Length / _channels;
        if (timestamps is not null && length != timestamps)
        {
            throw new InvalidOperationException($"A series in column '{column}' has {length} timestamps, the encoder was fitted on "
                + $"{timestamps}, and gives one embedding a timestamp.");
        }
        var scaled = _rows.Add(series.Length);
        for (var i = 0; i < series.Length; i++)
            scaled[i] = scaling.Scale(series[i], i / length);
        if (Notices is not null)
            Notice(series, length);
        return true;
    }

    private void Notice(ReadOnlySpan<double> series, int length)
    {
        Notices!.CountRow();
        for (var channel = 0; channel < _channels; channel++)
        {
            if (_hidden[channel] is not { } hidden)
                continue;
            foreach (var value in series.Slice(channel * length, length))
            {
                if (!scaling.Hides(value, channel))
                    continue;
                Notices.Count(hidden);
                break;
            }
        }
    }

    public override void Clear() => _rows.Clear();

    /// <summary>The series of a row: its numbers, or what a spectrogram makes of them.</summary>
    public static ReadOnlySpan<double> SeriesOf(RawRow row, LogMelSpectrogram? spectrogram)
        => spectrogram is null ? row.Numbers.Span : spectrogram.Compute(row.Numbers.Span);

    /// <summary>Throws where a series cannot be cut into its channels.</summary>
    public static void RequireChannels(string column, int values, int channels)
    {
        if (values % channels != 0)
        {
            throw new InvalidOperationException($"A series in column '{column}' has {values} values, which {channels} channels cannot share evenly. "
                + "Give every channel of a series the same number of timestamps, one channel after the other.");
        }
    }

    /// <summary>Whether a series is long enough to learn from and has a value.</summary>
    public static bool IsUsable(ReadOnlySpan<double> series, int channels, int minimumLength)
    {
        if (series.Length < (long)channels * minimumLength)
            return false;
        foreach (var value in series)
        {
            if (double.IsFinite(value))
                return true;
        }
        return false;
    }

    public override void KeepOnly(ReadOnlySpan<int> rows) => _rows.KeepOnly(rows);

    // Series of similar length together, in parts that any machine can hold: every batch is padded to its longest.
    internal override Tensor Encode(Encoder network, Device device)
    {
        var groups = LengthGroups.Of(Count, Length, LongestToShortest, Math.Max(1, paddedLength), TimestampsAtOnce);
        return groups.Encode(group => Encode(network, device, group));
    }

    internal override Tensor EncodeAll(Encoder network, Device device) => Encode(network, device);

    // Timestamps of a batch, and whether some of them are padding.
    private (int Length, bool HasPadding) Padded(ReadOnlySpan<int> rows)
    {
        int longest = Math.Max(1, paddedLength), shortest = int.MaxValue;
        foreach (var row in rows)
            (longest, shortest) = (Math.Max(longest, Length(row)), Math.Min(shortest, Math.Max(1, Length(row))));
        return (longest, shortest < longest);
    }

    internal override DeviceRows OnDevice(Device device) => new DeviceSeries(this, device);

    public override SeriesBatch ToBatch(ReadOnlySpan<int> rows)
    {
        var (longest, hasPadding) = Padded(rows);
        RequireFits(rows.Length, (long)_channels * longest, sizeof(float), $"series of {longest} timestamps");
        var values = zeros(rows.Length, _channels, longest, dtype: ScalarType.Float32);
        var mask = zeros(rows.Length, longest, dtype: ScalarType.Bool);
        var observed = zeros(rows.Length, longest, dtype: ScalarType.Bool);
        var cells = MemoryMarshal.Cast<byte, float>(values.bytes);
        var maskCells = mask.bytes;
        var observedCells = observed.bytes;
        for (var i = 0; i < rows.Length; i++)
        {
            var series = _rows[rows[i]];
            var length = series.Length / _channels;
            // A series of nothing still has an embedding: that of one missing value.
            maskCells.Slice(i * longest, Math.Max(1, length)).Fill(1);
            for (var channel = 0; channel < _channels; channel++)
            {
                var target = cells.Slice((i * _channels + channel) * longest, length);
                for (var t = 0; t < length; t++)
                {
                    if (float.IsNaN(series[channel * length + t]))
                        continue;
                    target[t] = series[channel * length + t];
                    observedCells[i * longest + t] = 1;
                }
            }
        }
        return new SeriesBatch(values, mask, observed) { HasPadding = hasPadding };
    }

    /// <summary>The series in a device's memory, timestamp after timestamp, and which timestamps have a value.</summary>
    private sealed class DeviceSeries : DeviceRows
    {
        private readonly SeriesRows _host;
        private readonly Tensor _values, _observed; // [timestamps of all, C], [timestamps of all]
        private readonly DevicePlaces _places;

        public DeviceSeries(SeriesRows rows, Device device) : base(device)
        {
            _host = rows;
            var channels = rows._channels;
            var lengths = new long[rows.Count];
            for (var row = 0; row < lengths.Length; row++)
                lengths[row] = rows.Length(row);
            _places = new DevicePlaces(lengths, rows.Padded(rows.AllRows).Length, device);
            var timestamps = (int)Math.Max(1, lengths.Sum());
            var (values, observed) = (new float[timestamps * channels], new bool[timestamps]);
            var start = 0;
            for (var row = 0; row < lengths.Length; row++)
            {
                var series = rows._rows[row];
                var length = (int)lengths[row];
                for (var i = 0; i < series.Length; i++)
                {
                    if (float.IsNaN(series[i]))
                        continue;
                    values[(start + i % length) * channels + i / length] = series[i];
                    observed[start + i % length] = true;
                }
                start += length;
            }
            _values = Upload<float>(values, ScalarType.Float32, device, timestamps, channels);
            _observed = Upload<bool>(observed, ScalarType.Bool, device, timestamps);
        }

        public override IReadOnlyList<Batch> ToBatches(Tensor rows, ReadOnlySpan<int> numbers)
        {
            using var scope = NewDisposeScope();
            var (longest, hasPadding) = _host.Padded(numbers);
            var (places, inside) = _places.Of(rows, longest);
            var values = _values.index_select(0, places.view(-1)).view(numbers.Length, longest, _host._channels)
                .masked_fill_(inside.logical_not().unsqueeze(2), Number(0)).permute(0, 2, 1).contiguous();
            var observed = _observed.take(places).logical_and_(inside);
            // A series of nothing is one missing value.
            inside.narrow(1, 0, 1).fill_(Number(true));
            return [new SeriesBatch(values.DetachFromDisposeScope(), inside.DetachFromDisposeScope(), observed.DetachFromDisposeScope())
            {
                HasPadding = hasPadding,
            }];
        }

        public override void Dispose()
        {
            _values.Dispose();
            _observed.Dispose();
            _places.Dispose();
        }
    }
}
