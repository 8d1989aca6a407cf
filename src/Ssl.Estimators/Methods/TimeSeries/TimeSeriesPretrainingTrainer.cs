using Microsoft.ML;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Training;

namespace Ssl.Estimators;

/// <summary>
/// Pretraining on a column of time series: learns the scale of the channels, reads the series once, and lets the method learn.
/// </summary>
public abstract class TimeSeriesPretrainingTrainer : PretrainingTrainer
{
    // What ML.NET's saved form of a model can hold.
    private const int LongestEmbedding = 65_535;

    private readonly TimeSeriesPretrainingOptions _options;
    private readonly TimeSeriesEncoderFactory _encoder;

    /// <summary>The estimator with its settings, which are checked and copied.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="options">Its settings.</param>
    /// <param name="defaultEncoder">Taken where the settings name none.</param>
    /// <param name="needsPatches">Whether the encoder must have a vector for every patch (true) or every timestamp (false); null takes
    /// any.</param>
    protected TimeSeriesPretrainingTrainer(MLContext mlContext, TimeSeriesPretrainingOptions options,
        TimeSeriesEncoderFactory defaultEncoder, bool? needsPatches = null) : base(mlContext, options)
    {
        _options = (TimeSeriesPretrainingOptions)Settings;
        _encoder = _options.Encoder ?? defaultEncoder;
        if (needsPatches is not { } patches)
            return;
        if (!(patches ? _encoder.EncodesPatches : _encoder.EncodesTimestamps))
        {
            throw new ArgumentOutOfRangeException(nameof(_options.Encoder),
                $"Encoder must have a vector for every {(patches ? "patch" : "timestamp")} for "
                + $"{GetType().Name}, such as {nameof(TimeSeriesEncoders)}.{(patches ? nameof(TimeSeriesEncoders.PatchTransformer)
                : nameof(TimeSeriesEncoders.DilatedConvolution))}, got '{_encoder.Kind}'.");
        }
    }

    /// <inheritdoc/>
    protected sealed override IReadOnlyList<string> TrainingColumns => [_options.InputColumnName];

    /// <inheritdoc/>
    protected sealed override int EmbeddingDimension => _encoder.EmbeddingDimension;

    // Two steps: something to hide and something to see, a past and a future.
    private int MinimumLength => 2 * _encoder.MinimumLength;

    /// <summary>The method around a new encoder.</summary>
    protected abstract PretrainingMethod CreateMethod(TimeSeriesEncoder encoder, RandomStreams streams);

    /// <inheritdoc/>
    protected sealed override string EmptyHint => $"Every series in column '{_options.InputColumnName}' has fewer than {MinimumLength} "
        + "timestamps or no value, or there are no rows. For shorter series take an encoder with shorter patches or fewer blocks.";

    /// <inheritdoc/>
    protected sealed override void CheckColumn(string name, ColumnShape shape)
        => SeriesColumns.Check(name, shape, _options.PerTimestamp, MinimumLength, layout: null, _options.NumberOfChannels,
            _options.Spectrogram);

    /// <inheritdoc/>
    protected sealed override RowFormat LearnFormat(IDataView input, IChannel channel)
    {
        var name = _options.InputColumnName;
        var spectrogram = _options.Spectrogram is null ? null
            : SoundScale.Find(input, name, _options.Spectrogram, text => Inform(channel, text, MessageSensitivity.Schema), _options.CancellationToken);
        var layout = SeriesColumns.LayoutOf(name, ColumnShape.Find(input.Schema, name), _options.NumberOfChannels, _options.PerTimestamp,
            spectrogram);
        if (_encoder.DimensionFor(layout) > LongestEmbedding)
        {
            var why = layout.PerTimestamp ? "One vector a timestamp" : "One vector a channel";
            throw new InvalidOperationException($"{why} makes embeddings of {_encoder.DimensionFor(layout):N0} values; at most "
                + $"{LongestEmbedding:N0} can be saved. Take an encoder with a smaller embedding, or shorter series.");
        }
        var scaling = SeriesRowFormat.Learn(input, name, layout.Channels, MinimumLength, _options.NumericScaling,
            text => Warn(channel, text, MessageSensitivity.UserData | MessageSensitivity.Schema), _options.CancellationToken, spectrogram);
        return new SeriesRowFormat(name, _encoder, layout, scaling, MinimumLength, spectrogram);
    }

    /// <inheritdoc/>
    protected sealed override PretrainingMethod MethodFor(RowFormat format, Encoder encoder, RandomStreams streams)
        => CreateMethod((TimeSeriesEncoder)encoder, streams);
}
