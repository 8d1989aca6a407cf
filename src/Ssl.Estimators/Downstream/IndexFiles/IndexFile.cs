using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>
/// An index file that is open: the state after its last block, and how a block is added. One thread adds at a time; any number read meanwhile, and
/// keep to the state that they began with.
/// </summary>
internal sealed class IndexFile : IDisposable
{
    // The file grows by so much at least, so that it is not mapped anew for every block.
    private const int SmallestGrowth = 1 << 20;

    private readonly bool _readOnly;
    private readonly Lock _replacing = new();
    private FileStream _file;
    private IndexState _state;
    private Exception? _fault;

    private IndexFile(string path, bool readOnly)
    {
        (FilePath, _readOnly) = (path, readOnly);
        (_file, Header, _state) = Load(path, readOnly);
    }

    /// <summary>Its path, in full.</summary>
    public string FilePath { get; }

    /// <summary>What it is for.</summary>
    public IndexHeader Header { get; private set; }

    /// <summary>Whether it was opened to be read only.</summary>
    public bool IsReadOnly => _readOnly;

    /// <summary>The state after the last block; its bytes may be read by the thread that adds.</summary>
    public IndexState State => Volatile.Read(ref _state);

    /// <summary>Writes a file without rows.</summary>
    /// <exception cref="IOException">There is a file, or it cannot be written.</exception>
    public static void Create(string path, IndexHeader header)
    {
        if (File.Exists(path))
            throw new IOException($"There is a file '{path}' already. Open it with OpenNeighborIndex, or delete it first.");
        AtomicFile.Write(path, stream => stream.Write(header.ToPage()));
    }

    /// <summary>Opens a file.</summary>
    /// <exception cref="FormatException">It is no index file, or damaged.</exception>
    /// <exception cref="IOException">It is not there, or open elsewhere.</exception>
    public static IndexFile Open(string path, bool readOnly) => new(Path.GetFullPath(path), readOnly);

    /// <summary>The state after the last block, whose bytes stay where they are until <see cref="FileMapping.Leave"/>.</summary>
    public IndexState Enter()
    {
        while (true)
        {
            var state = State;
            if (state.Mapping.TryEnter())
                return state;
            // It is being replaced, or was just now.
            lock (_replacing)
                ThrowIfFaulty();
        }
    }

    /// <summary>Adds a block; when this returns it is on the disk, and what is read from then on knows it.</summary>
    /// <param name="bytes">The block.</param>
    /// <exception cref="IOException">It cannot be written; then it was not added.</exception>
    public void Append(byte[] bytes)
    {
        ThrowIfFaulty();
        var state = State;
        var end = new IndexEnd(state.End.Sequence + 1, state.End.Length + bytes.Length);
        if (end.Length > _file.Length)
            _file.SetLength(end.Length + Math.Max(SmallestGrowth, end.Length / 4));
        RandomAccess.Write(_file.SafeFileHandle, bytes, state.End.Length);
        RandomAccess.FlushToDisk(_file.SafeFileHandle);
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, end.ToBytes(), IndexHeader.PlaceOf(end));
            RandomAccess.FlushToDisk(_file.SafeFileHandle);
            var mapping = end.Length > state.Mapping.Length ? new FileMapping(_file) : state.Mapping;
            var block = IndexBlock.Read(mapping, state.End.Length, end.Length, end.Sequence, Header.Dimension, state.RowCount)
                ?? throw IndexHeader.Damage("what was just written is read as something else");
            Volatile.Write(ref _state, state.With(block, mapping));
            if (mapping != state.Mapping)
                state.Mapping.Close();
        }
        catch (Exception fault)
        {
            // Whether the block counts is not known here: the file says it when it is opened anew.
            _fault = fault;
            throw;
        }
    }

    /// <summary>Puts another file in the place of this one. Searches that have begun end first, others wait.</summary>
    /// <param name="write">Writes the file; what it gives back is flushed.</param>
    public void Replace(Action<Stream> write)
    {
        ThrowIfFaulty();
        var isHeld = false;
        try
        {
            AtomicFile.Write(FilePath, stream =>
            {
                write(stream);
                ((FileStream)stream).Flush(flushToDisk: true);
                // A file that is open or mapped cannot be replaced on every system.
                _replacing.Enter();
                isHeld = true;
                CloseFile(trims: false);
            });
        }
        finally
        {
            if (isHeld)
            {
                try
                {
                    IndexState state;
                    (_file, Header, state) = Load(FilePath, readOnly: false);
                    Volatile.Write(ref _state, state);
                }
                catch (Exception fault)
                {
                    _fault = fault;
                    throw;
                }
                finally
                {
                    _replacing.Exit();
                }
            }
        }
    }

    /// <summary>Closes the file; waits for those who read.</summary>
    public void Dispose() => CloseFile(trims: !_readOnly && _fault is null);

    private void CloseFile(bool trims)
    {
        var state = State;
        state.Mapping.Close();
        state.Mapping.WaitUntilUnmapped();
        if (trims)
            _file.SetLength(state.End.Length);
        _file.Dispose();
    }

    private void ThrowIfFaulty()
    {
        if (_fault is not null)
            throw new IOException($"The last change of '{FilePath}' failed: {_fault.Message} Dispose of the index and open it anew; what was added before is there.", _fault);
    }

    private static (FileStream, IndexHeader, IndexState) Load(string path, bool readOnly)
    {
        var file = OpenFile(path, readOnly);
        FileMapping? mapping = null;
        try
        {
            if (file.Length == 0)
                throw new FormatException("is empty, not an index file. Index files are made by CreateNeighborIndex.");
            mapping = new FileMapping(file);
            var (header, end) = IndexHeader.Read(mapping.Bytes(0, (int)Math.Min(mapping.Length, IndexHeader.Size)));
            if (end.Length > mapping.Length)
                throw IndexHeader.Damage($"it has {mapping.Length} bytes, and had {end.Length}");
            var state = IndexState.Empty(mapping);
            while (state.End.Sequence < end.Sequence)
            {
                var number = state.End.Sequence + 1;
                var block = IndexBlock.Read(mapping, state.End.Length, end.Length, number, header.Dimension, state.RowCount)
                    ?? throw IndexHeader.Damage($"block {number} does not have the checksum that was written");
                state = state.With(block, mapping);
            }
            if (state.End != end)
                throw IndexHeader.Damage("its blocks end elsewhere than its first page says");
            return (file, header, WithCompleteTail(state, header, file, readOnly));
        }
        catch (Exception fault)
        {
            mapping?.Close();
            file.Dispose();
            throw fault is FormatException ? new FormatException($"'{path}' {fault.Message}", fault.InnerException) : fault;
        }
    }

    // A block behind the end is what a process left that ended while it wrote. Where all of it is there it counts: its caller was about to be told so,
    // or had been, and the place that says it is damaged.
    private static IndexState WithCompleteTail(IndexState state, IndexHeader header, FileStream file, bool readOnly)
    {
        var mapping = state.Mapping;
        var tail = IndexBlock.Read(mapping, state.End.Length, mapping.Length, state.End.Sequence + 1, header.Dimension, state.RowCount);
        if (tail is null)
            return state;
        try
        {
            tail.Verify(mapping);
            state = state.With(tail, mapping);
        }
        catch (FormatException)
        {
            return state;
        }
        if (!readOnly)
        {
            RandomAccess.Write(file.SafeFileHandle, state.End.ToBytes(), IndexHeader.PlaceOf(state.End));
            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }
        return state;
    }

    private static FileStream OpenFile(string path, bool readOnly)
    {
        try
        {
            return new FileStream(path, FileMode.Open, readOnly ? FileAccess.Read : FileAccess.ReadWrite, readOnly ? FileShare.Read : FileShare.None,
                bufferSize: 0, FileOptions.RandomAccess);
        }
        catch (IOException fault) when (fault is not (FileNotFoundException or DirectoryNotFoundException) && File.Exists(path))
        {
            throw new IOException($"Cannot open '{path}': {fault.Message.TrimEnd('.')}. An index file is open for writing once, or any number of times for reading: "
                + "share one NeighborIndex among threads, and dispose of it when it is no longer needed.", fault);
        }
    }
}
