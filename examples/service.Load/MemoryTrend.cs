namespace SearchService.Load;

/// <summary>Whether memory that is sampled once a second grows, when the first quarter of the time is left out as the warm-up.</summary>
internal sealed class MemoryTrend
{
    // A leak of a percent in ten minutes is seen; what a collector puts off by chance is not taken for one.
    private const double MostGrowth = 0.05;

    // Less is the warm-up: code is compiled, and the collector finds its size.
    private const int FewestSamples = 120;

    /// <param name="bytes">One sample a second.</param>
    public MemoryTrend(IReadOnlyList<long> bytes)
    {
        double[] samples = [.. bytes.Skip(bytes.Count / 4).Select(sample => sample / 1e6)];
        double Median(IEnumerable<double> part) => part.Order().ElementAtOrDefault(part.Count() / 2);
        (Samples, Peak) = (samples.Length, samples.DefaultIfEmpty().Max());
        Start = Median(samples[..(samples.Length / 3)]);
        End = Median(samples[^(samples.Length / 3)..]);
        // Least squares.
        var (meanTime, mean) = ((samples.Length - 1) / 2.0, samples.DefaultIfEmpty().Average());
        var (along, square) = (0.0, 0.0);
        foreach (var (time, sample) in samples.Index())
            (along, square) = (along + (time - meanTime) * (sample - mean), square + (time - meanTime) * (time - meanTime));
        SlopePerMinute = square > 0 ? along / square * 60 : 0;
        Growth = mean > 0 ? SlopePerMinute / 60 * samples.Length / mean : 0;
    }

    public int Samples { get; }

    /// <summary>Megabytes: the medians of the first and of the last third, and the most.</summary>
    public double Start { get; }

    public double End { get; }

    public double Peak { get; }

    /// <summary>Megabytes a minute, by least squares.</summary>
    public double SlopePerMinute { get; }

    /// <summary>What the slope adds over the time that was looked at, as a share.</summary>
    public double Growth { get; }

    /// <summary>Whether the time was long enough to judge: three minutes with the warm-up.</summary>
    public bool IsLongEnough => Samples >= FewestSamples;

    /// <summary>Whether that is no more than chance.</summary>
    public bool IsFlat => Growth <= MostGrowth;
}
