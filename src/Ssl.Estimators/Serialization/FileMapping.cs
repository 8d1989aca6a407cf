using System.IO.MemoryMappedFiles;

namespace Ssl.Estimators.Serialization;

/// <summary>
/// A file as memory: pages come from the disk as they are read, and go where memory is needed elsewhere. Any number of threads may read; who has
/// entered finishes before it is unmapped.
/// </summary>
internal sealed unsafe class FileMapping
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly ManualResetEventSlim _unmapped = new();
    private int _holders = 1;               // the owner, and everybody inside
    private int _closed;

    /// <summary>Maps the whole file as it is now.</summary>
    /// <param name="file">Not empty; must stay open as long as the mapping.</param>
    public FileMapping(FileStream file)
    {
        Length = file.Length;
        _file = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>Bytes that are mapped.</summary>
    public long Length { get; }

    /// <summary>Some of the bytes; only between <see cref="TryEnter"/> and <see cref="Leave"/>, or by the owner.</summary>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    /// <summary>Keeps the bytes in their place; false where it is closed.</summary>
    public bool TryEnter()
    {
        int holders;
        do
        {
            holders = Volatile.Read(ref _holders);
            if (holders == 0 || Volatile.Read(ref _closed) != 0)
                return false;
        }
        while (Interlocked.CompareExchange(ref _holders, holders + 1, holders) != holders);
        return true;
    }

    /// <summary>Ends what <see cref="TryEnter"/> began.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _holders) != 0)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
        _unmapped.Set();
    }

    /// <summary>Lets nobody in any more; it is unmapped when the last one has left.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            Leave();
    }

    /// <summary>Waits for the last one to leave after <see cref="Close"/>.</summary>
    public void WaitUntilUnmapped() => _unmapped.Wait();
}
