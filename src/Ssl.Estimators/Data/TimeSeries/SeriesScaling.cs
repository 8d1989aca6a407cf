using System.Text.Json.Nodes;
using Ssl.Estimators.Randomness;

namespace Ssl.Estimators.Data;

/// <summary>The common scale of every channel, learned of the training data in Double; missing values do not count.</summary>
internal sealed class SeriesScaling
{
    // A step of a series may stand far out for a reason; what stands farther is no number that a network can take.
    private const double FarthestDeviations = 1e6;

    private const string ScalesKey = "scales", MeansKey = "means", DeviationsKey = "deviations";

    private readonly NumberScale[] _scales;

    // Of models from before scales were kept in Double, which score as they did.
    private readonly float[] _means;
    private readonly float[] _deviations;

    /// <summary>A scale for each channel.</summary>
    public SeriesScaling(IReadOnlyList<NumberScale> scales) => (_scales, _means, _deviations) = ([.. scales], [], []);

    /// <summary>The scale of older models, computed in Single.</summary>
    /// <param name="means">One a channel.</param>
    /// <param name="deviations">One a channel, greater than 0.</param>
    public SeriesScaling(float[] means, float[] deviations) => (_scales, _means, _deviations) = ([], means, deviations);

    /// <summary>Channels.</summary>
    public int Channels => _scales.Length + _means.Length;

    /// <summary>One scale a channel; empty for that of an older model, which is <see cref="Means"/> and <see cref="Deviations"/>.</summary>
    public IReadOnlyList<NumberScale> Scales => _scales;

    /// <summary>Subtracted first, one a channel; empty where there are <see cref="Scales"/>.</summary>
    public IReadOnlyList<float> Means => _means;

    /// <summary>Divided by then, one a channel; empty where there are <see cref="Scales"/>.</summary>
    public IReadOnlyList<float> Deviations => _deviations;

    /// <summary>A value on the common scale; NaN for a missing or infinite one.</summary>
    public float Scale(double value, int channel)
        => !double.IsFinite(value) ? float.NaN
            : _scales.Length > 0 ? _scales[channel].Scale(value)
            : float.IsFinite((float)value) ? ((float)value - _means[channel]) / _deviations[channel] : float.NaN;

    /// <summary>Whether a value is another one than the only one that its channel had in the training data: the encoder does not see it.</summary>
    public bool Hides(double value, int channel) => _scales.Length > 0 && double.IsFinite(value) && _scales[channel].Hides(value);

    /// <summary>The one value that a channel had in the training data, in words; null where it had several.</summary>
    public string? ConstantText(int channel) => _scales.Length > 0 && _scales[channel].IsConstant ? _scales[channel].ConstantText : null;

    /// <summary>The scale as JSON.</summary>
    public JsonObject ToJson() => _scales.Length > 0
        ? new() { [ScalesKey] = new JsonArray([.. _scales.Select(scale => (JsonNode)scale.ToJson())]) }
        : new()
        {
            [MeansKey] = new JsonArray([.. _means.Select(v => (JsonNode)v)]),
            [DeviationsKey] = new JsonArray([.. _deviations.Select(v => (JsonNode)v)]),
        };

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The numbers cannot be a learned scale.</exception>
    public static SeriesScaling FromJson(JsonObject json)
    {
        if (json[ScalesKey] is JsonArray scales)
        {
            return scales.Count > 0 ? new SeriesScaling([.. scales.Select(scale => NumberScale.FromJson(scale!.AsObject()))])
                : throw new FormatException("The scale of a time series must have at least one channel.");
        }
        float[] means = [.. json[MeansKey]!.AsArray().Select(v => (float)v!)], deviations = [.. json[DeviationsKey]!.AsArray().Select(v => (float)v!)];
        if (means.Length == 0 || means.Length != deviations.Length || !means.All(float.IsFinite)
            || !deviations.All(deviation => deviation > 0 && float.IsFinite(deviation)))
        {
            throw new FormatException("The scale of a time series must have one finite mean and one finite deviation above 0 for each channel.");
        }
        return new SeriesScaling(means, deviations);
    }

    /// <summary>Learns a scale from series that are given one after the other.</summary>
    /// <param name="channels">Channels of every series.</param>
    internal sealed class Learner(int channels)
    {
        // Quantiles are taken from so many values of a channel, drawn evenly from all.
        private const int SampledValues = 20_000;

        private readonly NumberMoments[] _moments = [.. Enumerable.Range(0, channels).Select(_ => new NumberMoments())];
        private readonly List<double>[] _samples = [.. Enumerable.Range(0, channels).Select(_ => new List<double>())];

        // The same values are drawn whatever the seed: what is learned of the column depends on the data alone.
        private readonly ShuffleRandom _random = new(0);

        /// <summary>Counts a series, channel by channel.</summary>
        public void Add(ReadOnlySpan<double> series)
        {
            var length = series.Length / channels;
            for (var i = 0; i < series.Length; i++)
            {
                if (!double.IsFinite(series[i]))
                    continue;
                var (moments, sample) = (_moments[i / length], _samples[i / length]);
                moments.Add(series[i]);
                // Reservoir sampling (Vitter, 1985).
                if (sample.Count < SampledValues)
                    sample.Add(series[i]);
                else if (_random.NextInt64(moments.Count) is var place && place < SampledValues)
                    sample[(int)place] = series[i];
            }
        }

        /// <summary>The scale; a channel of one value is always 0.</summary>
        /// <param name="scaling">How to scale.</param>
        /// <param name="column">The column, to be named.</param>
        /// <param name="warn">Told of what the scale makes useless.</param>
        public SeriesScaling Learned(NumericScaling scaling, string column, Action<string> warn)
        {
            var outliers = new List<string>();
            var limit = scaling == NumericScaling.ZScore ? FarthestDeviations : NumberScale.UsualLimit;
            var learned = new SeriesScaling([.. _moments.Select((moments, channel) =>
            {
                double[] sample = [.. _samples[channel]];
                var scale = NumberScale.Learn(scaling, moments, sample, limit);
                if (scaling == NumericScaling.ZScore && Outliers.Find(moments, sample, Name(channel)) is { } found)
                    outliers.Add(found);
                return scale;
            })]);
            string[] constants = [.. Enumerable.Range(0, channels).Where(channel => learned.ConstantText(channel) is not null)
                .Select(channel => $"{Name(channel)} ({learned.ConstantText(channel)})")];
            // Without a value in any channel there is nothing to learn from at all, which has its own sentence.
            if (constants.Length > 0 && Array.Exists(_moments, moments => moments.Count > 0))
            {
                warn($"One value only, or none, in all series: {string.Join(", ", constants)}. Nothing is learned of it, and the encoder will not see "
                    + "other values later. Give Fit series in which it varies, or leave the channel out.");
            }
            if (Outliers.Describe(outliers) is { } sentence)
                warn(sentence);
            return learned;

            string Name(int channel) => channels == 1 ? $"'{column}'" : $"channel {channel} of '{column}'";
        }
    }
}
