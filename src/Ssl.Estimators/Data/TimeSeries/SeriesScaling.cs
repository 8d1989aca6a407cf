using System.Text.Json.Nodes;

namespace Ssl.Estimators.Data;

/// <summary>Mean and standard deviation of every channel over the training data; missing values do not count.</summary>
/// <param name="means">One a channel.</param>
/// <param name="deviations">One a channel, greater than 0.</param>
internal sealed class SeriesScaling(float[] means, float[] deviations)
{
    private const string MeansKey = "means", DeviationsKey = "deviations";

    /// <summary>Channels.</summary>
    public int Channels => means.Length;

    /// <summary>A value on the common scale; NaN for a missing or infinite one.</summary>
    public float Scale(float value, int channel) => float.IsFinite(value) ? (value - means[channel]) / deviations[channel] : float.NaN;

    /// <summary>The scale as JSON.</summary>
    public JsonObject ToJson() => new()
    {
        [MeansKey] = new JsonArray([.. means.Select(v => (JsonNode)v)]),
        [DeviationsKey] = new JsonArray([.. deviations.Select(v => (JsonNode)v)]),
    };

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="FormatException">The numbers cannot be a learned scale.</exception>
    public static SeriesScaling FromJson(JsonObject json)
    {
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
        private readonly long[] _counts = new long[channels];
        private readonly double[] _means = new double[channels];
        private readonly double[] _squares = new double[channels];

        /// <summary>Counts a series, channel by channel.</summary>
        public void Add(ReadOnlySpan<float> series)
        {
            var length = series.Length / channels;
            for (var i = 0; i < series.Length; i++)
            {
                if (!float.IsFinite(series[i]))
                    continue;
                // Welford: sums of squares of large values would lose the deviation.
                var channel = i / length;
                var difference = series[i] - _means[channel];
                _means[channel] += difference / ++_counts[channel];
                _squares[channel] += difference * (series[i] - _means[channel]);
            }
        }

        /// <summary>The scale; a channel of one value keeps deviation 1.</summary>
        public SeriesScaling Learned() => new([.. _means.Select(m => (float)m)], [.. _squares.Select((s, c) =>
            Math.Sqrt(s / Math.Max(1, _counts[c])) is > 1e-8 and var deviation ? (float)deviation : 1)]);
    }
}
