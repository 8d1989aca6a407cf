using Ssl.Estimators.Diagnostics;

namespace Ssl.Estimators;

/// <summary>Settings of a <see cref="ProcessGroup"/>.</summary>
public sealed class ProcessGroupOptions
{
    /// <summary>
    /// Whether gradients travel as bfloat16: half of the bytes, for networks between machines that are slow. They are added up in 32 bits;
    /// each is rounded to three digits twice.
    /// </summary>
    /// <value>The default value is <see langword="false"/>.</value>
    public bool CompressesGradients { get; set; }

    /// <summary>
    /// Whether the data of each process are rows of its own already, files that only it reads (<see cref="ProcessGroup.Share"/>): it then trains on
    /// all that it is given. Tokenizers, scales and categories are learned of the first process's rows.
    /// </summary>
    /// <value>The default value is <see langword="false"/>: all are given the same data, and each trains on its share.</value>
    public bool RowsAreDivided { get; set; }

    /// <summary>
    /// Longest time that a process waits for the others. Greater than 0. One that is killed ends all at once, as its launcher sees to it; this is
    /// for one that is stuck.
    /// </summary>
    /// <value>The default value is 30 minutes.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(30);

    internal void ThrowIfInvalid()
        => new OptionFaults().Require(Timeout > TimeSpan.Zero, nameof(Timeout), "must be greater than 0", Timeout).ThrowIfAny();
}
