using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Distributed;

/// <summary>
/// What all processes do together. Every process makes the same calls in the same order; each call waits until all are there, however long one
/// computes, unless another process says that it failed or the time for waiting is over.
/// </summary>
/// <remarks>One call at a time. Tensors of other devices than the CPU go through its memory.</remarks>
internal sealed unsafe class Communicator
{
    private const int NoticeLength = 1024;

    // While nobody is late, an answer takes some microseconds; later a core is worth more than they are.
    private static readonly TimeSpan s_spinning = TimeSpan.FromMicroseconds(200), s_yielding = TimeSpan.FromMilliseconds(5);

    private readonly MpiLibrary _mpi;
    private readonly nint _all, _notices;
    private readonly TimeSpan _timeout;
    private string? _fault;

    public Communicator(MpiLibrary mpi, Launch launch, TimeSpan timeout)
    {
        (_mpi, _timeout, Rank, Count) = (mpi, timeout, launch.Rank, launch.Count);
        (_all, _notices) = (mpi.Duplicate(), mpi.Duplicate());
    }

    /// <summary>Number of this process, from 0.</summary>
    public int Rank { get; }

    /// <summary>Processes.</summary>
    public int Count { get; }

    /// <summary>Whether a call failed, so that the processes no longer stand at the same call.</summary>
    public bool IsBroken => _fault is not null;

    /// <summary>Bytes sent by this process in calls that grow with the work: gradients, rows, weights.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Time spent in calls.</summary>
    public TimeSpan TimeWaited { get; private set; }

    /// <summary>How many calls there were.</summary>
    public long Calls { get; private set; }

    /// <summary>Replaces the values by their sums over all processes.</summary>
    /// <param name="values">Float32, contiguous, of the same length everywhere.</param>
    public void Sum(Tensor values)
    {
        if (values.device_type != DeviceType.CPU)
        {
            using Tensor copy = values.cpu();
            Sum(copy);
            values.copy_(copy);
            return;
        }
        Sum(MemoryMarshal.Cast<byte, float>(values.bytes));
    }

    /// <summary>Replaces the values by their sums over all processes.</summary>
    public void Sum(Span<float> values)
    {
        // Reduced on all ranks: up to twice its size goes out.
        BytesSent += 2L * values.Length * sizeof(float) * (Count - 1) / Count;
        fixed (float* start = values)
        {
            nint request = 0;
            Begin();
            _mpi.AllReduce(start, values.Length, _all, &request);
            Wait(&request);
        }
    }

    /// <summary>The same with numbers of 16 bits on the way, added up in 32: half of the bytes, three digits.</summary>
    /// <param name="values">Float32 of the CPU, contiguous.</param>
    public void SumRounded(Tensor values)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long length = values.numel(), part = (length + Count - 1) / Count;
        // Every process adds up its part of all, and everyone gets the sums.
        Tensor own = nn.functional.pad(values.reshape(-1), [0L, part * Count - length]).to(ScalarType.BFloat16);       // [S x P]
        Tensor parts = empty([Count, part], dtype: ScalarType.BFloat16);
        int bytes = checked((int)(2 * part));
        int[] lengths = [.. Enumerable.Repeat(bytes, Count)], starts = [.. Enumerable.Range(0, Count).Select(rank => checked(rank * bytes))];
        fixed (byte* from = own.bytes, to = parts.bytes)
        fixed (int* counts = lengths, places = starts)
        {
            nint request = 0;
            Begin();
            _mpi.AllToAll(from, counts, places, to, counts, places, _all, &request);
            Wait(&request);
        }
        BytesSent += (long)bytes * (Count - 1);
        Tensor sum = parts.to(ScalarType.Float32).sum(0L).to(ScalarType.BFloat16);                                       // [P]
        Tensor all = Gather(sum, lengths.Select(count => count / 2L).ToArray());
        values.reshape(-1).copy_(all.narrow(0, 0, length));
    }

    /// <summary>The rows of all processes behind each other, in the order of the ranks.</summary>
    /// <param name="rows">[N, ...]: N may differ between processes, nothing else.</param>
    /// <param name="counts">N of every process.</param>
    /// <returns>[sum of N, ...] on the same device, without gradient.</returns>
    public Tensor Gather(Tensor rows, IReadOnlyList<long> counts)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor own = rows.detach().cpu().contiguous();
        Tensor all = empty([counts.Sum(), .. rows.shape[1..]], dtype: rows.dtype);
        long size = own.element_size();
        foreach (long length in rows.shape[1..])
            size *= length;
        int[] lengths = [.. counts.Select(count => checked((int)(count * size)))];
        fixed (byte* from = own.bytes, to = all.bytes)
            Gather(from, lengths, to);
        BytesSent += (long)lengths[Rank] * (Count - 1);
        return all.to(rows.device).MoveToOuterDisposeScope();
    }

    /// <summary>What each process gives, in the order of the ranks.</summary>
    /// <param name="own">Of the same length everywhere.</param>
    public byte[][] Exchange(ReadOnlySpan<byte> own)
    {
        var all = new byte[Count * own.Length];
        int[] lengths = [.. Enumerable.Repeat(own.Length, Count)];
        fixed (byte* from = own, to = all)
            Gather(from, lengths, to);
        return [.. all.Chunk(Math.Max(1, own.Length))];
    }

    /// <summary>Texts of any length of all processes, in the order of the ranks.</summary>
    public string[] Exchange(string own)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(own), length = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        int[] lengths = [.. Exchange(length).Select(text => BinaryPrimitives.ReadInt32LittleEndian(text))], starts;
        var all = new byte[lengths.Sum() + 1];
        fixed (byte* from = bytes.Length == 0 ? all : bytes, to = all)
            starts = Gather(from, lengths, to);
        return [.. Enumerable.Range(0, Count).Select(rank => Encoding.UTF8.GetString(all, starts[rank], lengths[rank]))];
    }

    /// <summary>Replaces the values by those of the first process.</summary>
    /// <param name="values">Of the same type and shape everywhere.</param>
    public void Broadcast(Tensor values)
    {
        if (values.numel() == 0)
            return;
        using var noGrad = no_grad();
        if (values.device_type != DeviceType.CPU || !values.is_contiguous())
        {
            using Tensor copy = values.detach().cpu().contiguous();
            Broadcast(copy);
            values.copy_(copy);
            return;
        }
        // In pieces whose length fits the interface.
        Span<byte> bytes = values.bytes;
        const int most = 1 << 30;
        while (bytes.Length > 0)
        {
            Span<byte> piece = bytes[..Math.Min(most, bytes.Length)];
            BytesSent += Rank == 0 ? (long)piece.Length * (Count - 1) : 0;
            fixed (byte* place = piece)
            {
                nint request = 0;
                Begin();
                _mpi.Broadcast(place, piece.Length, _all, &request);
                Wait(&request);
            }
            bytes = bytes[piece.Length..];
        }
    }

    /// <summary>Tells the others, who wait in some call, that this process will not come; nothing can be done together afterwards.</summary>
    public void Fail(string sentence)
    {
        if (_fault is not null)
            return;
        _fault = sentence;
        byte[] notice = Notice(sentence);
        var requests = new nint[Count];
        fixed (byte* bytes = notice)
        fixed (nint* all = requests)
        {
            for (int rank = 0; rank < Count; rank++)
            {
                if (rank != Rank)
                    _mpi.Send(bytes, notice.Length, rank, _notices, all + rank);
            }
            // Short messages are on their way at once; a process that is gone would never take one.
            long started = Stopwatch.GetTimestamp();
            for (int rank = 0; rank < Count; rank++)
            {
                while (rank != Rank && !_mpi.IsDone(all + rank) && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2))
                    Thread.Sleep(1);
            }
        }
    }

    /// <summary>Ends the library; all processes come here.</summary>
    public void Finish() => _mpi.Finish();

    // Gives back where each process's bytes begin.
    private int[] Gather(byte* own, int[] lengths, byte* all)
    {
        var starts = new int[Count];
        for (int rank = 1; rank < Count; rank++)
            starts[rank] = checked(starts[rank - 1] + lengths[rank - 1]);
        fixed (int* counts = lengths, places = starts)
        {
            nint request = 0;
            Begin();
            _mpi.AllGather(own, lengths[Rank], all, counts, places, _all, &request);
            Wait(&request);
        }
        return starts;
    }

    private static byte[] Notice(string sentence)
    {
        var notice = new byte[NoticeLength];
        Encoding.UTF8.GetEncoder().Convert(sentence, notice, flush: true, out _, out _, out _);
        return notice;
    }

    private void Begin()
    {
        if (_fault is not null)
            throw new RankFaultException($"The processes no longer compute together: {_fault}");
    }

    private void Wait(nint* request)
    {
        long started = Stopwatch.GetTimestamp();
        TimeSpan lookedAround = TimeSpan.Zero;
        Calls++;
        while (!_mpi.IsDone(request))
        {
            TimeSpan waited = Stopwatch.GetElapsedTime(started);
            if (waited < s_spinning)
                continue;
            if (waited < s_yielding)
                Thread.Yield();
            else
                Thread.Sleep(1);
            if (waited - lookedAround < s_yielding)
                continue;
            lookedAround = waited;
            LookForNotices();
            if (waited > _timeout)
            {
                _fault = $"process {Rank} waited {waited.TotalSeconds:0} s for the others.";
                throw new RankFaultException($"Process {Rank} waited {waited.TotalSeconds:0} s for the other {Count - 1} processes, longer than "
                    + "ProcessGroupOptions.Timeout: one of them is gone, stuck or much slower. Look at their logs; raise Timeout where one may "
                    + "compute that long alone.");
            }
        }
        TimeWaited += Stopwatch.GetElapsedTime(started);
    }

    private void LookForNotices()
    {
        byte* bytes = stackalloc byte[NoticeLength];
        for (int rank = 0; rank < Count; rank++)
        {
            if (rank == Rank || !_mpi.TryReceive(bytes, NoticeLength, rank, _notices))
                continue;
            string sentence = Encoding.UTF8.GetString(bytes, NoticeLength).TrimEnd('\0');
            _fault = $"process {rank} stopped: {sentence}";
            throw new RankFaultException($"Process {rank} stopped, and this one with it: {sentence}");
        }
    }
}

/// <summary>Another process failed, left or is late; this one did nothing wrong.</summary>
internal sealed class RankFaultException(string message) : InvalidOperationException(message);
