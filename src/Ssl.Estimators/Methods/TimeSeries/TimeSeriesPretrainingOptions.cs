using Ssl.Estimators.Data;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Methods;

namespace Ssl.Estimators;

/// <summary>Settings that every pretraining method for time series has.</summary>
public abstract class TimeSeriesPretrainingOptions : PretrainingOptions
{
    /// <summary>Settings with the method's own defaults.</summary>
    protected TimeSeriesPretrainingOptions(int batchSize, int numberOfEpochs, double learningRate, double weightDecay = 0.01)
        : base(batchSize, numberOfEpochs, learningRate, weightDecay)
    {
    }

    /// <summary>
    /// Name of the column of series to learn from and, later, to embed: a vector of numbers of any type, channel by channel, of one
    /// length or of differing lengths. Missing values are NaN.
    /// </summary>
    /// <value>The default value is "Series".</value>
    [NotEmpty]
    public string InputColumnName { get; set; } = ColumnNames.Series;

    /// <summary>
    /// Channels of a series. At least 1; null, the default, takes them from a type of [channels, time], and else one.
    /// </summary>
    [OptionRange(Minimum = 1)]
    public int? NumberOfChannels { get; set; }

    /// <summary>The encoder to pretrain, from <see cref="TimeSeriesEncoders"/> or your own; null takes the method's default.</summary>
    public TimeSeriesEncoderFactory? Encoder { get; set; }

    /// <summary>
    /// Whether an embedding holds one vector for each step of the encoder (timestamp or patch), step after step, instead of one for the
    /// series. All series must then have the length that the column's type states.
    /// </summary>
    /// <value>The default value is false.</value>
    public bool PerTimestamp { get; set; }

    /// <summary>
    /// How the values of each channel are brought to a common scale. <see cref="NumericScaling.Robust"/> where a few outliers, such as
    /// faults of a sensor, make the standard deviation large.
    /// </summary>
    /// <value>The default value is <see cref="NumericScaling.ZScore"/>.</value>
    public NumericScaling NumericScaling { get; set; } = NumericScaling.ZScore;

    /// <summary>
    /// Makes series of a column of sounds, vectors of samples of one channel: bands of frequencies are the channels. Null, the default, takes
    /// the column's vectors as the series.
    /// </summary>
    public LogMelSpectrogram? Spectrogram { get; set; }

    private protected override EncoderFactory? EncoderToStartWith => Encoder;

    private protected override void ValidateKind(OptionFaults faults)
        => faults.Require(Spectrogram is null || NumberOfChannels is null, nameof(NumberOfChannels),
            "must be null where Spectrogram is set, whose bands are the channels", NumberOfChannels);
}
