using Ssl.Estimators.Distributed;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>
/// A training by several processes: before each step they tell each other how many rows they have, and end together; after it they average their
/// gradients. What follows from the same numbers is the same everywhere: schedule, moving averages, queues, the optimizer's state.
/// </summary>
/// <param name="group">Who trains.</param>
/// <param name="method">What is trained: the same seed gives it the same weights everywhere.</param>
/// <param name="streams">What this process draws from; each epoch begins with numbers of its own, and other ones in each process.</param>
internal sealed class SharedSteps(ProcessGroup group, PretrainingMethod method, RandomStreams streams) : IDisposable
{
    private readonly GradientAverage _gradients = new(group, method.parameters());
    private RankStep? _step;
    private bool _isInStep;

    /// <summary>Whether one of the processes canceled.</summary>
    public bool IsCanceled { get; private set; }

    /// <summary>Time of the training at the beginning of this step, by the first process's clock.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Whether this process writes checkpoints.</summary>
    public bool Writes => group.IsFirst;

    /// <summary>The smallest of the processes' numbers; null where one does not know it.</summary>
    public long? Least(long? steps)
    {
        group.Situation = "There is no checkpoint of this training yet, so that it begins anew when the program is started again; with CheckpointPath one is written.";
        return group.Least(steps);
    }

    /// <summary>The mean of a loss over the processes; null where one has none.</summary>
    public double? Mean(double? loss) => group.Mean(loss);

    /// <summary>Begins an epoch: from here on a resumed training draws what one that was never interrupted does, whatever the number of processes was.</summary>
    public void BeginEpoch(int epoch) => streams.BeginEpoch(epoch, group.Rank);

    /// <summary>The batches of a pass, for as long as all processes have one, each with the padding of the longest.</summary>
    /// <param name="batches">Of this process.</param>
    /// <param name="elapsed">Time so far.</param>
    /// <param name="cancellationToken">Ends all.</param>
    public IEnumerable<IReadOnlyList<Batch>> Align(IEnumerable<IReadOnlyList<Batch>> batches, Func<TimeSpan> elapsed, CancellationToken cancellationToken)
    {
        using var pass = batches.GetEnumerator();
        while (true)
        {
            // A source ends early, or throws, where the caller cancels; the others are told first.
            IReadOnlyList<Batch>? next;
            try
            {
                next = pass.MoveNext() ? pass.Current : null;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                next = null;
            }
            var all = group.Exchange(new RankMessage(RankCall.Step)
            {
                Rows = next?[0].Count ?? 0,
                Lengths = [.. next?.Take(RankMessage.MostColumns).Select(column => column.PaddedLength) ?? []],
                Number = elapsed().TotalSeconds,
                Flag = cancellationToken.IsCancellationRequested,
            });
            IsCanceled = all.Any(message => message.Flag);
            Elapsed = TimeSpan.FromSeconds(all[0].Number);
            if (next is null || IsCanceled || all.Any(message => message.Rows == 0))
            {
                foreach (Batch column in next ?? [])
                    column.Dispose();
                yield break;
            }
            _step = new RankStep(group.Communicator, [.. all.Select(message => message.Rows)]);
            yield return [.. next.Select((column, i) => i < RankMessage.MostColumns ? column.PadTo(all.Max(message => message.Lengths[i])) : column)];
        }
    }

    /// <summary>Begins what the processes compute together; it ends with <see cref="Average"/> or <see cref="Leave"/>.</summary>
    public Ranks.Scope Enter()
    {
        _isInStep = true;
        return Ranks.Enter(_step);
    }

    /// <summary>Ends it: the processes meet again where they exchange messages.</summary>
    public void Leave() => _isInStep = false;

    /// <summary>Gives the parameters the mean gradients, and the mean loss back.</summary>
    public double Average(Tensor loss)
    {
        double mean = _gradients.Average(loss);
        Leave();
        return mean;
    }

    /// <summary>A checkpoint was written.</summary>
    public void Written(string path, int epochs)
        => group.Situation = $"The training goes on from '{path}', written after epoch {epochs}, when the program is started again.";

    /// <summary>Tells the others that this process failed.</summary>
    public void Fail(Exception fault) => group.Report(fault, _isInStep);

    /// <inheritdoc/>
    public void Dispose()
    {
        group.Situation = null;
        _gradients.Dispose();
    }
}
