using System.Runtime.InteropServices;
using Ssl.Estimators.Distributed;

namespace Ssl.Estimators;

/// <summary>
/// The processes that an MPI launcher started from this program (<c>mpirun -n 4 dotnet App.dll</c>): while it is open, every pretraining
/// <c>Fit</c> is one training by all of them. Started by hand it is a group of one, and nothing changes.
/// </summary>
/// <remarks>
/// <para>
/// All processes run the same program on the same data. In a Fit each reads its own share of the rows (every S-th, by row number; all are read once
/// for what is learned of the data: tokenizers, scales), a step has <c>BatchSize</c> rows of all processes together, gradients are averaged, losses
/// that compare rows see those of all, batch statistics are those of all. The encoder is the same everywhere afterwards, to the bit. The first
/// process logs, reports progress and writes checkpoints. A training goes on from a checkpoint with another number of processes.
/// </para>
/// <para>
/// Fine-tuning, few-label models, scoring and everything else of the program run in every process alike; write files in the first one
/// (<see cref="IsFirst"/>). Processes of one machine share its cores: unless OMP_NUM_THREADS says another number, each computes with its share.
/// </para>
/// </remarks>
public sealed class ProcessGroup : IDisposable
{
    private static readonly Lock s_lock = new();
    private static ProcessGroup? s_current;
    private static bool s_ended;

    private readonly List<IDisposable> _registrations = [];
    private readonly Communicator? _communicator;
    private bool _isClosed;
    private Exception? _reported;

    private ProcessGroup(Launch launch, Communicator? communicator, ProcessGroupOptions options)
    {
        (Rank, Count, LocalRank, _communicator) = (launch.Rank, launch.Count, launch.LocalRank, communicator);
        (CompressesGradients, RowsAreDivided) = (options.CompressesGradients, options.RowsAreDivided);
    }

    /// <summary>Number of this process, from 0.</summary>
    public int Rank { get; }

    /// <summary>Processes; 1 where the program was started without a launcher.</summary>
    public int Count { get; }

    /// <summary>Number of this process among those of its machine, from 0.</summary>
    public int LocalRank { get; }

    /// <summary>Whether this is the process that logs and writes: number 0.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>Bytes that this process sent to others so far, where that grows with the work.</summary>
    public long BytesSent => _communicator?.BytesSent ?? 0;

    /// <summary>Time that this process spent in calls to others so far: waiting for them, and for what travels.</summary>
    public TimeSpan TimeWaited => _communicator?.TimeWaited ?? TimeSpan.Zero;

    /// <summary>Calls to others so far.</summary>
    internal long Calls => _communicator?.Calls ?? 0;

    internal bool CompressesGradients { get; }

    internal bool RowsAreDivided { get; }

    internal Communicator Communicator => _communicator ?? throw new InvalidOperationException("There is one process only.");

    /// <summary>The group that is open and has several processes; null without one.</summary>
    internal static ProcessGroup? Current => s_current is { Count: > 1, _isClosed: false } group ? group : null;

    /// <summary>Where a training stands and what to do then, for the sentence of a process that is ended from outside.</summary>
    internal string? Situation { get; set; }

    /// <summary>Joins the processes of the launcher; all of them come here.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <returns>The group; one a program. Dispose of it at the end.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is outside its range.</exception>
    /// <exception cref="InvalidOperationException">There is a group, or was one; the MPI library is missing or belongs to another launcher.</exception>
    public static ProcessGroup Start(ProcessGroupOptions? options = null)
    {
        options ??= new ProcessGroupOptions();
        options.ThrowIfInvalid();
        lock (s_lock)
        {
            if (s_current is { _isClosed: false } || s_ended)
                throw new InvalidOperationException("A program joins its processes once: keep the group that UseProcesses gave until the end.");
            var launch = Launch.Find(Environment.GetEnvironmentVariable);
            var communicator = launch.Count == 1 ? null : new Communicator(MpiLibrary.Start(launch), launch, options.Timeout);
            if (communicator is not null)
                Threads.Share(launch.LocalCount);
            return s_current = new ProcessGroup(launch, communicator, options).Watch();
        }
    }

    /// <summary>Waits until all processes are here.</summary>
    /// <exception cref="InvalidOperationException">Another process failed or left.</exception>
    public void Wait()
    {
        if (_communicator is not null)
            Exchange(new RankMessage(RankCall.Wait));
    }

    /// <summary>This process's share of files, or of anything else: every so-manieth, so that each has one owner.</summary>
    /// <param name="items">The same in every process, in the same order.</param>
    public IReadOnlyList<T> Share<T>(IEnumerable<T> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return [.. items.Where((_, i) => i % Count == Rank)];
    }

    /// <summary>Leaves the group, when all processes do; trainings afterwards are this process's own.</summary>
    public void Dispose()
    {
        lock (s_lock)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            s_ended = _communicator is not null;
        }
        foreach (var registration in _registrations)
            registration.Dispose();
        if (_communicator is null || _communicator.IsBroken)
            return;
        try
        {
            // The others may still want something of this one: they are told, and come here, too.
            while (_communicator.Exchange(new RankMessage(RankCall.Leave).ToBytes()).Any(bytes => RankMessage.From(bytes).Call != RankCall.Leave))
            {
            }
            _communicator.Finish();
        }
        catch (InvalidOperationException)
        {
            // Broken meanwhile: the launcher ends all.
        }
    }

    /// <summary>What all processes say at the same point of the program.</summary>
    /// <exception cref="InvalidOperationException">Another one is at another point, left, or says that it failed.</exception>
    internal RankMessage[] Exchange(RankMessage own)
    {
        RankMessage[] all = [.. Communicator.Exchange(own.ToBytes()).Select(RankMessage.From)];
        for (var rank = 0; rank < all.Length; rank++)
        {
            if (rank == Rank || all[rank].Call == own.Call || own.Call == RankCall.Fail)
                continue;
            throw new RankFaultException(all[rank].Call switch
            {
                RankCall.Fail => $"Process {rank} stopped, and this one with it: {all[rank].Text}",
                RankCall.Leave => $"Process {rank} has ended, while this one {Describe(own.Call)}. All processes must make the same calls: put no Fit "
                    + "under a condition that differs between them.",
                _ => $"Process {rank} {Describe(all[rank].Call)}, while this one {Describe(own.Call)}. All processes must make the same calls in the same "
                    + "order: put no Fit under a condition that differs between them.",
            });
        }
        return all;
    }

    /// <summary>Tells the others that this process failed, once; what they know already is not told again.</summary>
    /// <param name="fault">Why.</param>
    /// <param name="isInStep">Whether they wait inside of a step, and not where messages are exchanged.</param>
    internal void Report(Exception fault, bool isInStep)
    {
        if (_communicator is not { IsBroken: false } || fault is RankFaultException || ReferenceEquals(fault, _reported)
            || fault.InnerException is { } inner && ReferenceEquals(inner, _reported))
        {
            return;
        }
        _reported = fault;
        if (isInStep)
            _communicator.Fail(fault.Message);
        else
            Exchange(new RankMessage(RankCall.Fail) { Text = fault.Message });
    }

    /// <summary>The smallest of the processes' numbers; null where one has none.</summary>
    internal long? Least(long? value)
    {
        var all = Exchange(new RankMessage(RankCall.Agree) { Number = value is { } number ? number : double.NaN });
        return all.Any(message => double.IsNaN(message.Number)) ? null : (long)all.Min(message => message.Number);
    }

    /// <summary>The sum of the processes' numbers.</summary>
    internal long Sum(long value) => (long)Exchange(new RankMessage(RankCall.Agree) { Number = value }).Sum(message => message.Number);

    /// <summary>The mean of the processes' numbers; null where one has none.</summary>
    internal double? Mean(double? value)
    {
        var all = Exchange(new RankMessage(RankCall.Agree) { Number = value ?? double.NaN, Flag = value is null });
        return all.Any(message => message.Flag) ? null : all.Average(message => message.Number);
    }

    /// <summary>Whether any process says so.</summary>
    internal bool Any(bool value) => Exchange(new RankMessage(RankCall.Agree) { Flag = value }).Any(message => message.Flag);

    private static string Describe(RankCall call) => call switch
    {
        RankCall.Fit => "begins a Fit",
        RankCall.Step => "is in the steps of a Fit",
        RankCall.Agree => "is in a Fit",
        RankCall.Wait => "waits for all",
        _ => "ends",
    };

    // A program that ends without disposing leaves properly all the same; one that is ended from outside says what became of it.
    private ProcessGroup Watch()
    {
        if (_communicator is null)
            return this;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Dispose();
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT])
            _registrations.Add(PosixSignalRegistration.Create(signal, End));
        return this;
    }

    private void End(PosixSignalContext context)
    {
        Console.Error.WriteLine($"Process {Rank} of {Count} is ended from outside, as its launcher does where another process was killed or failed."
            + (Situation is { } situation ? $" {situation}" : ""));
        // Nobody is there to leave together with.
        _isClosed = true;
    }
}
