using System.Collections.Concurrent;
using TorchSharp;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// Threads that compute blocks of rows side by side, each with its share of the cores for the operators within. Two blocks with one core
/// each are done sooner than the same two, one after the other, with two cores each: no small operator is split, no core waits for another.
/// </summary>
/// <remarks>
/// libtorch keeps its number of threads once for the process and once in every thread, which copies the process's at its first operator.
/// Threads of our own can therefore have another number than the rest of the application; those of the thread pool must not.
/// </remarks>
internal sealed class ComputeThreads : TaskScheduler
{
    // More than a few blocks in flight cost memory and the wait for the first of them; from there on the operators share the cores.
    private const int Most = 4;

    private static readonly ConcurrentDictionary<int, Lazy<ComputeThreads>> ByCores = new();

    private readonly BlockingCollection<Task> _tasks = [];

    private ComputeThreads(int cores)
    {
        Count = Math.Min(cores, Most);
        var ready = new CountdownEvent(Count);
        for (var i = 0; i < Count; i++)
        {
            var share = cores / Count;
            new Thread(() => Work(share, ready)) { IsBackground = true, Name = $"Ssl compute {i + 1}" }.Start();
        }
        ready.Wait();
        // the process's number, which the threads have overwritten
        torch.set_num_threads(cores);
    }

    /// <summary>How many blocks are computed at once.</summary>
    public int Count { get; }

    public override int MaximumConcurrencyLevel => Count;

    /// <summary>The threads among which as many cores are divided as the calling thread may use (<c>torch.get_num_threads()</c>).</summary>
    public static ComputeThreads ForThisThread()
        => ByCores.GetOrAdd(torch.get_num_threads(), cores => new Lazy<ComputeThreads>(() => new ComputeThreads(cores))).Value;

    /// <summary>Computes on one of the threads.</summary>
    public Task Run(Action compute) => Task.Factory.StartNew(compute, CancellationToken.None, TaskCreationOptions.None, this);

    protected override void QueueTask(Task task) => _tasks.Add(task);

    // On the waiting thread a block would use all cores beside those that are in flight.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [.. _tasks];

    private void Work(int share, CountdownEvent ready)
    {
        _ = torch.get_num_threads();                                                    // copies the process's number, once and for all
        torch.set_num_threads(share);
        ready.Signal();
        foreach (var task in _tasks.GetConsumingEnumerable())
            TryExecuteTask(task);
    }
}
