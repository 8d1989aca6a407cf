namespace Ssl.Bench;

/// <summary>One named measurement.</summary>
public abstract class BenchCase
{
    /// <summary>Name on the command line and of the result file.</summary>
    public abstract string Name { get; }

    /// <summary>Cost in minutes on two cores, without <c>--quick</c>.</summary>
    public abstract int Minutes { get; }

    /// <summary>What is measured, in one line.</summary>
    public abstract string Description { get; }

    /// <summary>Measures.</summary>
    public abstract void Run(BenchSettings settings, BenchResults results);
}

/// <summary>What the command line asked for.</summary>
public sealed class BenchSettings
{
    /// <summary>Whether to measure a smaller form.</summary>
    public bool Quick { get; set; }

    /// <summary>Some of a case's data sets instead of all; null for all. Cases over several sets know it.</summary>
    public string[]? Sets { get; set; }

    /// <summary>Draws of labeled rows instead of a case's own number, in cases that know it; null for that.</summary>
    public int? Draws { get; set; }

    /// <summary>Whether the programs to compare with only draw the rows, in cases that know it: their figures do not change with ours.</summary>
    public bool OursOnly { get; set; }

    /// <summary>Folder of the Python programs to compare with.</summary>
    public string? Peers { get; set; } = Environment.GetEnvironmentVariable("SSL_PEERS");
}

/// <summary>A case cannot run here; the message says what it needs.</summary>
public sealed class BenchUnavailableException(string message) : Exception(message);
