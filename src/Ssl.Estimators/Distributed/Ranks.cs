using static TorchSharp.torch;

namespace Ssl.Estimators.Distributed;

/// <summary>
/// What losses and layers need of the other processes in a step of a training by several (<see cref="ProcessGroup"/>). Everywhere else there is
/// one process, and each of these gives back what it got.
/// </summary>
/// <remarks>
/// <para>
/// Each process computes a loss; the gradients of all are averaged. A loss that is a mean over rows needs nothing for that. One that compares rows
/// gathers those of all processes first (<see cref="Gather(Tensor)"/>), so that each computes the same loss, that of the whole batch. A number that is
/// computed over rows (a center, a statistic, how many places are hidden) is averaged (<see cref="Average(Tensor)"/>).
/// </para>
/// <para>Every process must come to the same calls in the same order, in each step: never call them under a condition that depends on the rows.</para>
/// </remarks>
public static class Ranks
{
    [ThreadStatic]
    private static RankStep? t_step;

    /// <summary>Processes that take part in this step; 1 outside of one.</summary>
    public static int Count => t_step?.Communicator.Count ?? 1;

    internal static RankStep? Step => t_step;

    /// <summary>The rows of all processes, in the order of the processes, for a loss that compares rows.</summary>
    /// <remarks>
    /// The gradient of this process's own rows is that of the loss of all processes, as long as each computes the same loss of what is gathered: of
    /// all rows, not of its own against all.
    /// </remarks>
    /// <param name="rows">[N, ...]: N may differ between processes, nothing else.</param>
    /// <returns>[sum of N, ...]; <paramref name="rows"/> themselves where there is one process.</returns>
    public static Tensor Gather(Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (t_step is not { } step)
            return rows;
        using var scope = NewDisposeScope();
        var communicator = step.Communicator;
        long[] counts = step.CountsOf(rows.shape[0]);
        Tensor all = communicator.Gather(rows, counts);
        if (rows.requires_grad && is_grad_enabled())
        {
            // Each process computes this loss, so that the sum of their gradients is as many times this one's.
            Tensor own = rows.detach().add(rows.sub(rows.detach()), Number((long)communicator.Count));
            long before = counts.Take(communicator.Rank).Sum(), behind = before + counts[communicator.Rank];
            all = cat([all.narrow(0, 0, before), own, all.narrow(0, behind, all.shape[0] - behind)]);
        }
        return all.MoveToOuterDisposeScope();
    }

    /// <summary>Two tensors of the same rows, gathered at once.</summary>
    internal static (Tensor First, Tensor Second) Gather(Tensor first, Tensor second)
    {
        if (t_step is null)
            return (first, second);
        using var scope = NewDisposeScope();
        Tensor both = Gather(cat([first, second], 1));
        long width = first.shape[1];
        return (both.narrow(1, 0, width).MoveToOuterDisposeScope(), both.narrow(1, width, second.shape[1]).MoveToOuterDisposeScope());
    }

    /// <summary>This process's rows of what <see cref="Gather(Tensor)"/> gave.</summary>
    /// <param name="all">[sum of N, ...].</param>
    /// <param name="count">N of this process.</param>
    public static Tensor Own(Tensor all, long count)
    {
        ArgumentNullException.ThrowIfNull(all);
        return t_step is { } step ? all.narrow(0, step.CountsOf(count).Take(step.Communicator.Rank).Sum(), count) : all;
    }

    /// <summary>The mean of a number or a tensor over the processes, for a loss that each process computes of it alike.</summary>
    /// <param name="value">Float32, of the same shape everywhere; of each process's rows.</param>
    /// <returns>Of the same shape; <paramref name="value"/> itself where there is one process. Its gradient goes to this process's part.</returns>
    public static Tensor Average(Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (t_step is not { } step)
            return value;
        using var scope = NewDisposeScope();
        Tensor mean = value.detach().to(ScalarType.Float32).clone();
        step.Communicator.Sum(mean);
        mean.div_(Number((double)step.Communicator.Count));
        if (value.requires_grad && is_grad_enabled())
            mean = mean.add(value.sub(value.detach()), One);
        return mean.MoveToOuterDisposeScope();
    }

    /// <summary>The mean of a number over the processes: how many places count, for instance.</summary>
    public static double Average(double value)
    {
        if (t_step is not { } step)
            return value;
        Span<float> sum = [(float)value];
        step.Communicator.Sum(sum);
        return (double)sum[0] / step.Communicator.Count;
    }

    /// <summary>The mean over all values of rows, weighted by how many rows this process has, where that differs between processes.</summary>
    /// <param name="values">[N, ...].</param>
    /// <returns>A scalar. The mean of the processes' numbers is that of all rows.</returns>
    public static Tensor Mean(Tensor values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return t_step is { Weight: not 1 } step ? values.mean().mul(Number(step.Weight)) : values.mean();
    }

    /// <summary>The mean over all rows, of this process's mean over its own; see <see cref="Average(Tensor)"/>.</summary>
    internal static Tensor AverageOfRows(Tensor mean)
    {
        if (t_step is not { } step)
            return mean;
        using var scope = NewDisposeScope();
        return Average(step.Weight == 1 ? mean : mean.mul(Number(step.Weight))).MoveToOuterDisposeScope();
    }

    /// <summary>How many rows all processes have.</summary>
    /// <param name="count">Rows of this process.</param>
    internal static long Total(long count) => t_step?.CountsOf(count).Sum() ?? count;

    /// <summary>What the first process drew, for all: where a draw is for the whole batch and not for a row.</summary>
    internal static Tensor FromFirst(Tensor drawn)
    {
        t_step?.Communicator.Broadcast(drawn);
        return drawn;
    }

    /// <summary>Begins a step on this thread.</summary>
    internal static Scope Enter(RankStep? step)
    {
        var before = t_step;
        t_step = step;
        return new Scope(before);
    }

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    internal readonly struct Scope(RankStep? before) : IDisposable
    {
        public void Dispose() => t_step = before;
    }
}

/// <summary>A step that processes take together.</summary>
/// <param name="Communicator">Of them.</param>
/// <param name="Rows">Rows of each of them.</param>
internal sealed record RankStep(Communicator Communicator, long[] Rows)
{
    /// <summary>The rows of this process against the mean of all: what its mean over rows weighs.</summary>
    public double Weight { get; } = (double)Rows[Communicator.Rank] * Rows.Length / Rows.Sum();

    /// <summary>What every process has, where this one has so many: a number of parts of each row.</summary>
    public long[] CountsOf(long count)
    {
        long own = Rows[Communicator.Rank];
        if (own == 0 || count % own != 0)
        {
            throw new ArgumentException($"Only rows of the batch can be gathered: there are {own}, got {count}. Gather what has a row, or as many for each, "
                + "as its first dimension.", nameof(count));
        }
        return count == own ? Rows : [.. Rows.Select(rows => rows * (count / own))];
    }
}
