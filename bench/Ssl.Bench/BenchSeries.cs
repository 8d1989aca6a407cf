using System.Globalization;
using System.IO.Compression;
using Microsoft.ML.Data;

namespace Ssl.Bench;

/// <summary>Time series for measurements.</summary>
public static class BenchSeries
{
    /// <summary>The share of series whose nearest neighbor is of their class.</summary>
    /// <param name="training">The neighbors.</param>
    /// <param name="test">The series.</param>
    /// <param name="distance">Of two series; may give up where it is beyond a limit.</param>
    public static double NearestNeighbor(IReadOnlyList<Series> training, IReadOnlyList<Series> test, Func<Series, Series, double, double> distance)
    {
        var right = 0;
        Parallel.ForEach(test, one =>
        {
            var (best, label) = (double.PositiveInfinity, "");
            foreach (var other in training)
            {
                var found = distance(one, other, best);
                if (found < best)
                    (best, label) = (found, other.Label);
            }
            if (label == one.Label)
                Interlocked.Increment(ref right);
        });
        return (double)right / test.Count;
    }

    /// <summary>The sum of squared differences.</summary>
    public static double Euclidean(Series a, Series b, double limit)
    {
        double sum = 0;
        for (var i = 0; i < a.Values.Length; i++)
            sum += (a.Values[i] - b.Values[i]) * (a.Values[i] - b.Values[i]);
        return sum;
    }

    /// <summary>Dynamic time warping: squared differences summed over the channels; given up when no path can be shorter than the limit.</summary>
    public static double Warping(Series a, Series b, double limit)
    {
        var (rows, columns, channels) = (a.Length, b.Length, a.Channels);
        var before = new double[columns + 1];
        var now = new double[columns + 1];
        Array.Fill(before, double.PositiveInfinity);
        before[0] = 0;
        for (var i = 0; i < rows; i++)
        {
            now[0] = double.PositiveInfinity;
            var least = double.PositiveInfinity;
            for (var j = 0; j < columns; j++)
            {
                double cost = 0;
                for (var c = 0; c < channels; c++)
                {
                    double difference = a.Values[c * rows + i] - b.Values[c * columns + j];
                    cost += difference * difference;
                }
                now[j + 1] = cost + Math.Min(before[j], Math.Min(before[j + 1], now[j]));
                least = Math.Min(least, now[j + 1]);
            }
            if (least > limit)
                return double.PositiveInfinity;
            (before, now) = (now, before);
        }
        return before[columns];
    }

    /// <summary>The series of a data set.</summary>
    /// <param name="name">Its folder below timeseries. One channel: label, values. Several: case, channel, label, values.</param>
    /// <param name="part">Which file: TRAIN or TEST.</param>
    public static List<Series> Read(string name, string part)
    {
        var path = Path.Combine(Environment.GetEnvironmentVariable("SSL_DATA") ?? "", "timeseries", name, $"{name}_{part}.tsv.gz");
        if (!File.Exists(path))
            throw new BenchUnavailableException("it needs the folder timeseries in the one that SSL_DATA names.");
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var lines = new List<string[]>();
        while (reader.ReadLine() is { } line)
            lines.Add(line.Split('\t', StringSplitOptions.RemoveEmptyEntries));
        var several = name is "JapaneseVowels" or "BasicMotions";
        if (!several)
            return [.. lines.Select(line => new Series { Label = line[0], Channels = 1, Values = Numbers(line[1..]) })];
        return [.. lines.GroupBy(line => line[0]).Select(group => new Series
        {
            Label = group.First()[2],
            Channels = group.Count(),
            Values = [.. group.SelectMany(line => Numbers(line[3..]))],
        })];
    }

    private static float[] Numbers(string[] cells) => [.. cells.Select(cell => float.Parse(cell, CultureInfo.InvariantCulture))];
}

/// <summary>A series as ML.NET reads it.</summary>
public sealed class Series
{
    /// <summary>Its class.</summary>
    public string Label { get; set; } = "";

    /// <summary>Channel after channel.</summary>
    public float[] Values { get; set; } = [];

    /// <summary>Number of channels.</summary>
    [NoColumn]
    public int Channels { get; set; }

    /// <summary>Timestamps.</summary>
    [NoColumn]
    public int Length => Values.Length / Channels;
}
