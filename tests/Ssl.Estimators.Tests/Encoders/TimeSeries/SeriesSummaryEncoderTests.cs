using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Tests.Encoders.TimeSeries;

/// <summary>Means of segments and statistics against loops over the values.</summary>
[TestClass]
public sealed class SeriesSummaryEncoderTests
{
    private const int Segments = 5;

    private static double[] Expected(double[] values)
    {
        var expected = new List<double>();
        for (var segment = 0; segment < Segments; segment++)
        {
            var (start, end) = (segment * values.Length / Segments, (segment + 1) * values.Length / Segments);
            expected.Add(values[start..Math.Max(end, start + 1)].Average());
        }
        var mean = values.Average();
        expected.AddRange([mean, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))), values.Min(), values.Max(),
            values.Length == 1 ? 0 : values.Zip(values[1..], (a, b) => Math.Abs(b - a)).Average()]);
        return [.. expected];
    }

    // One timestamp, fewer than segments, as many, and numbers that segments do not divide.
    [TestMethod]
    public void SegmentsAndStatisticsAreThoseOfTheValues()
    {
        int[] lengths = [1, 3, 5, 13, 40];
        using var scope = NewDisposeScope();
        using var streams = new RandomStreams(1);
        using var encoder = new SeriesSummaryEncoderFactory(Segments).Create(new SeriesLayout(2, null), streams);
        var batch = TestSeries.Of(lengths);
        var embeddings = TestSeries.Floats(encoder.call(batch));
        Assert.HasCount(lengths.Length * 2 * (Segments + SeriesSummaryEncoder.NumberOfStatistics), embeddings);
        Assert.AreEqual(embeddings.Length / lengths.Length, encoder.EmbeddingDimension);
        for (var i = 0; i < lengths.Length; i++)
        {
            for (var channel = 0; channel < 2; channel++)
            {
                double[] values = [.. TestSeries.Floats(batch.Values[i][channel]).Take(lengths[i]).Select(value => (double)value)];
                var expected = Expected(values);
                for (var j = 0; j < expected.Length; j++)
                    Assert.AreEqual(expected[j], embeddings[(i * 2 + channel) * expected.Length + j], 1e-5, $"series {i}, channel {channel}, slot {j}");
            }
        }
    }

    [TestMethod]
    [DataRow(1, 96, 96)]
    [DataRow(1, 500, 128)]
    [DataRow(6, 100, 21)]
    [DataRow(64, 30, 4)]
    [DataRow(1, 2, 4)]
    public void ShortSeriesKeepTheirValues(int channels, int longest, int expected) => Assert.AreEqual(expected, SeriesSummaryEncoder.SegmentsFor(channels, longest));
}
