using System.Diagnostics;

namespace Ssl.Bench;

/// <summary>Clocks, medians, and what the system says about this process.</summary>
public static class Measure
{
    /// <summary>Seconds that an action takes.</summary>
    public static double Seconds(Action action)
    {
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>The middle value.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The standard deviation of all values that there are.</summary>
    public static double Deviation(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2)));
    }

    /// <summary>Resident memory of this process now, in MB.</summary>
    public static double ResidentMegabytes() => ProcStatus("VmRSS:");

    /// <summary>The most resident memory that this process ever had, in MB.</summary>
    public static double PeakMegabytes() => ProcStatus("VmHWM:");

    private static double ProcStatus(string field)
    {
        if (!OperatingSystem.IsLinux())
            throw new BenchUnavailableException("memory is read from /proc, which only Linux has.");
        var line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            System.Globalization.CultureInfo.InvariantCulture) / 1024;
    }
}
