using System.Runtime.InteropServices;

namespace Ssl.Estimators.Distributed;

/// <summary>
/// The functions of an MPI library, found while the program runs: Open MPI, whose handles are addresses of objects that it exports, or MPICH and
/// those of its interface (Intel MPI, MS-MPI), whose handles are numbers. Not safe for several threads at once.
/// </summary>
internal sealed unsafe class MpiLibrary
{
    /// <summary>Names a library to load in place of the usual ones.</summary>
    public const string LibraryVariable = "SSL_MPI_LIBRARY";

    private const int Serialized = 2;       // MPI_THREAD_SERIALIZED

    private readonly nint _library;
    private readonly nint _statusIgnore;
    private readonly delegate* unmanaged<void*, void*, int, nint, nint, nint, void*, int> _allReduce;
    private readonly delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, void*, int> _allGather;
    private readonly delegate* unmanaged<void*, int*, int*, nint, void*, int*, int*, nint, nint, void*, int> _allToAll;
    private readonly delegate* unmanaged<void*, int, nint, int, nint, void*, int> _broadcast;
    private readonly delegate* unmanaged<void*, int*, nint, int> _test;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, void*, int> _send;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint, int> _receive;
    private readonly delegate* unmanaged<int, int, nint, int*, nint, int> _probe;
    private readonly delegate* unmanaged<int> _finalize;
    private readonly delegate* unmanaged<nint, int, int> _abort;

    private MpiLibrary(nint library, string name)
    {
        (_library, Name) = (library, name);
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out nint world))
        {
            (World, Float, Byte, Sum) = (world, Export("ompi_mpi_float"), Export("ompi_mpi_byte"), Export("ompi_mpi_op_sum"));
            (InPlace, _statusIgnore) = (1, 0);
        }
        else
        {
            // Fixed by the common interface of MPICH, Intel MPI and MS-MPI.
            (World, Float, Byte, Sum) = (0x44000000, 0x4c00040a, 0x4c00010d, 0x58000003);
            (InPlace, _statusIgnore) = (-1, OperatingSystem.IsWindows() ? 0 : 1);
        }
        _allReduce = (delegate* unmanaged<void*, void*, int, nint, nint, nint, void*, int>)Export("MPI_Iallreduce");
        _allGather = (delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, void*, int>)Export("MPI_Iallgatherv");
        _allToAll = (delegate* unmanaged<void*, int*, int*, nint, void*, int*, int*, nint, nint, void*, int>)Export("MPI_Ialltoallv");
        _broadcast = (delegate* unmanaged<void*, int, nint, int, nint, void*, int>)Export("MPI_Ibcast");
        _test = (delegate* unmanaged<void*, int*, nint, int>)Export("MPI_Test");
        _send = (delegate* unmanaged<void*, int, nint, int, int, nint, void*, int>)Export("MPI_Isend");
        _receive = (delegate* unmanaged<void*, int, nint, int, int, nint, nint, int>)Export("MPI_Recv");
        _probe = (delegate* unmanaged<int, int, nint, int*, nint, int>)Export("MPI_Iprobe");
        _finalize = (delegate* unmanaged<int>)Export("MPI_Finalize");
        _abort = (delegate* unmanaged<nint, int, int>)Export("MPI_Abort");
    }

    /// <summary>Its file.</summary>
    public string Name { get; }

    /// <summary>All processes.</summary>
    public nint World { get; }

    public nint Float { get; }

    public nint Byte { get; }

    public nint Sum { get; }

    /// <summary>In place of what is sent: the result replaces it.</summary>
    public nint InPlace { get; }

    /// <summary>Loads the library that fits the launcher, and starts it.</summary>
    /// <param name="launch">Who started the processes.</param>
    /// <exception cref="InvalidOperationException">There is none, or it belongs to another launcher.</exception>
    public static MpiLibrary Start(Launch launch)
    {
        string[] names = Environment.GetEnvironmentVariable(LibraryVariable) is { Length: > 0 } chosen ? [chosen]
            : OperatingSystem.IsWindows() ? ["msmpi.dll"]
            : OperatingSystem.IsMacOS() ? launch.IsOpenMpi ? ["libmpi.40.dylib", "libmpi.dylib"] : ["libmpi.12.dylib", "libmpich.dylib", "libmpi.dylib"]
            : launch.IsOpenMpi ? ["libmpi.so.40", "libmpi.so"] : ["libmpich.so.12", "libmpi.so.12", "libmpich.so"];
        foreach (string name in names)
        {
            if (NativeLibrary.TryLoad(name, out nint library))
                return Start(new MpiLibrary(library, name), launch);
        }
        throw new InvalidOperationException($"{launch.Launcher} started {launch.Count} processes, but no MPI library was found "
            + $"({string.Join(", ", names)}). Install it: {(OperatingSystem.IsWindows() ? "Microsoft MPI"
                : launch.IsOpenMpi ? "Open MPI, on Debian and Ubuntu the package openmpi-bin" : "MPICH, on Debian and Ubuntu the package mpich")}, "
            + $"or name the library's file in the environment variable {LibraryVariable}.");
    }

    private static MpiLibrary Start(MpiLibrary mpi, Launch launch)
    {
        int provided, count, rank;
        mpi.Check("MPI_Init_thread", ((delegate* unmanaged<int*, byte***, int, int*, int>)mpi.Export("MPI_Init_thread"))(null, null, Serialized, &provided));
        mpi.Check("MPI_Comm_size", ((delegate* unmanaged<nint, int*, int>)mpi.Export("MPI_Comm_size"))(mpi.World, &count));
        mpi.Check("MPI_Comm_rank", ((delegate* unmanaged<nint, int*, int>)mpi.Export("MPI_Comm_rank"))(mpi.World, &rank));
        if (count != launch.Count || rank != launch.Rank)
        {
            throw new InvalidOperationException($"{launch.Launcher} started process {launch.Rank} of {launch.Count}, but {mpi.Name} says that it is process "
                + $"{rank} of {count}: the library belongs to another MPI than the launcher. Start the program with the mpirun of the same MPI, or name "
                + $"the launcher's library in {LibraryVariable}.");
        }
        return mpi;
    }

    /// <summary>Another communicator of the same processes, so that its messages do not meet others.</summary>
    public nint Duplicate()
    {
        nint copy = 0;      // a number in the one, an address in the other: both fit
        Check("MPI_Comm_dup", ((delegate* unmanaged<nint, nint*, int>)Export("MPI_Comm_dup"))(World, &copy));
        return copy;
    }

    public void AllReduce(float* values, int count, nint communicator, nint* request)
        => Check("MPI_Iallreduce", _allReduce((void*)InPlace, values, count, Float, Sum, communicator, request));

    public void AllGather(byte* own, int length, byte* all, int* lengths, int* starts, nint communicator, nint* request)
        => Check("MPI_Iallgatherv", _allGather(own, length, Byte, all, lengths, starts, Byte, communicator, request));

    public void AllToAll(byte* own, int* lengths, int* starts, byte* all, int* received, int* places, nint communicator, nint* request)
        => Check("MPI_Ialltoallv", _allToAll(own, lengths, starts, Byte, all, received, places, Byte, communicator, request));

    public void Broadcast(byte* bytes, int length, nint communicator, nint* request)
        => Check("MPI_Ibcast", _broadcast(bytes, length, Byte, 0, communicator, request));

    /// <summary>Whether what was begun is done.</summary>
    public bool IsDone(nint* request)
    {
        int done;
        Check("MPI_Test", _test(request, &done, _statusIgnore));
        return done != 0;
    }

    public void Send(byte* bytes, int length, int rank, nint communicator, nint* request)
        => Check("MPI_Isend", _send(bytes, length, Byte, rank, 0, communicator, request));

    /// <summary>Receives a message of a rank, where there is one.</summary>
    public bool TryReceive(byte* bytes, int length, int rank, nint communicator)
    {
        int isThere;
        Check("MPI_Iprobe", _probe(rank, 0, communicator, &isThere, _statusIgnore));
        if (isThere != 0)
            Check("MPI_Recv", _receive(bytes, length, Byte, rank, 0, communicator, _statusIgnore));
        return isThere != 0;
    }

    /// <summary>Ends the library; all processes come here.</summary>
    public void Finish() => Check("MPI_Finalize", _finalize());

    /// <summary>Ends all processes.</summary>
    public void Abort() => _ = _abort(World, 1);

    private nint Export(string name) => NativeLibrary.TryGetExport(_library, name, out nint address) ? address
        : throw new InvalidOperationException($"{Name} has no {name}: it is no MPI library of version 3 or later.");

    private void Check(string function, int code)
    {
        if (code != 0)
            throw new InvalidOperationException($"{function} of {Name} failed with code {code}.");
    }
}
