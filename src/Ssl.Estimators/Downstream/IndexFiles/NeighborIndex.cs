using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Downstream;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Rows;

namespace Ssl.Estimators;

/// <summary>
/// Vectors with ids in a file, and the search for the nearest of them by cosine. Rows are added, replaced and removed without rebuilding anything; the
/// vectors stay on the disk and come into memory as searches read them.
/// </summary>
/// <typeparam name="TId">What rows are called: <see cref="string"/> or <see cref="long"/>.</typeparam>
/// <remarks>
/// <para>Any number of threads may search while one adds or removes (others that do wait): a search sees the rows as they were when it began. A change
/// is on the disk when its method returns. Whatever ends the process, the file holds all changes that had returned, and of the one under way all or
/// nothing.</para>
/// <para>One process opens a file for writing, or any number for reading. A damaged file is refused with its name when it is opened, damaged vectors
/// when they are first read (<see cref="FormatException"/>).</para>
/// <para>Removed and replaced rows take their place in the file until <see cref="Compact"/>. An index that is searched approximately has cells from its first
/// <see cref="Compact"/> with at least 4,096 rows on (<c>CreateNeighborIndex</c> from data does one); before, all rows are compared.</para>
/// </remarks>
public sealed class NeighborIndex<TId> : IDisposable where TId : notnull
{
    // 16 MB of vectors: what a batch of a larger change takes in memory.
    private const int FloatsAtOnce = 1 << 22;
    private const int MostRowsAtOnce = 65_536;
    private const int MostFloatsOfAChange = 1 << 28;

    private readonly IndexIds<TId> _ids;
    private readonly IHost _host;
    private readonly long _seed;
    private readonly IndexFile _file;
    private readonly Lock _changing = new();
    private Dictionary<TId, int>? _rows;            // of the ids that are there; made when the first change needs it

    private NeighborIndex(MLContext mlContext, IndexIds<TId> ids, IndexFile file)
    {
        (_ids, _file) = (ids, file);
        _seed = HostSeed.Register(mlContext, "NeighborIndex", out _host);
        Lifetime = new Lifetime("NeighborIndex", file.Dispose);
    }

    /// <summary>Ends with <see cref="Dispose"/>.</summary>
    internal Lifetime Lifetime { get; }

    /// <summary>How ids are written.</summary>
    internal IndexIds<TId> Ids => _ids;

    /// <summary>The file, with its full path.</summary>
    public string FilePath => _file.FilePath;

    /// <summary>Length of the vectors.</summary>
    public int Dimension => _file.Header.Dimension;

    /// <summary>Rows that are there.</summary>
    public int Count => _file.State.Count;

    /// <summary>Rows that were removed or replaced, and still take their place in the file.</summary>
    public int RemovedCount => _file.State is var state ? state.RowCount - state.Count : 0;

    /// <summary>Cells that the rows lie in; 1 where every search compares all rows.</summary>
    public int NumberOfCells => _file.State.Cells.Count;

    /// <summary>How it is searched where a search does not say.</summary>
    public NeighborSearch SearchMode => _file.Header.Search;

    /// <summary>Whether it was opened to be read only.</summary>
    public bool IsReadOnly => _file.IsReadOnly;

    /// <summary>Makes a file without rows and opens it.</summary>
    internal static NeighborIndex<TId> Create(MLContext mlContext, string path, int dimension, NeighborSearch search, int? numberOfCells)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var ids = IndexIds.Of<TId>();
        new OptionFaults().InRange(dimension, 1, IndexHeader.MaximumDimension).Defined(search)
            .AtLeast(numberOfCells ?? 1, 1, nameof(numberOfCells)).ThrowIfAny();
        IndexFile.Create(path, new IndexHeader(dimension, ids.Kind, search, numberOfCells ?? 0));
        return Open(mlContext, path, readOnly: false);
    }

    /// <summary>Makes a file of all rows of a view; none is left where that fails.</summary>
    internal static NeighborIndex<TId> Create(MLContext mlContext, string path, IDataView data, string idColumnName, string inputColumnName,
        NeighborSearch search, int? numberOfCells, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(data);
        VectorRows.CheckColumn("input", inputColumnName, ColumnShape.Find(data.Schema, inputColumnName));
        var dimension = ((VectorDataViewType)data.Schema[inputColumnName].Type).Size;
        FindIds(data.Schema, idColumnName);
        var index = Create(mlContext, path, dimension, search, numberOfCells);
        try
        {
            index.Upsert(data, idColumnName, inputColumnName, cancellationToken);
            if (search == NeighborSearch.Approximate)
                index.Compact(cancellationToken);
            return index;
        }
        catch
        {
            index.Dispose();
            File.Delete(index.FilePath);
            throw;
        }
    }

    /// <summary>Opens a file.</summary>
    internal static NeighborIndex<TId> Open(MLContext mlContext, string path, bool readOnly)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var ids = IndexIds.Of<TId>();
        var file = IndexFile.Open(path, readOnly);
        if (file.Header.IdKind == ids.Kind)
            return new NeighborIndex<TId>(mlContext, ids, file);
        var kind = IndexIds.NameOf(file.Header.IdKind);
        file.Dispose();
        throw new FormatException($"The ids of '{file.FilePath}' are of {kind}, not of {IndexIds.NameOf(ids.Kind)}: open it as NeighborIndex<{kind}>.");
    }

    /// <summary>Adds a row, or replaces the one of this id.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="vector"><see cref="Dimension"/> values, of any length but 0.</param>
    /// <exception cref="ArgumentException">The vector is of another length or has no direction: it is zero, or has NaN or infinite values.</exception>
    /// <exception cref="IOException">The file cannot be written; the row was not added.</exception>
    public void Upsert(TId id, ReadOnlySpan<float> vector)
    {
        ArgumentNullException.ThrowIfNull(id);
        Change([], [id], Scaled(id, vector, nameof(vector)));
    }

    /// <summary>Removes some rows and adds others in one change: searches see both or nothing, and so does the file, whatever happens.</summary>
    /// <param name="removed">Ids of rows to remove; those that are not there do not count.</param>
    /// <param name="added">Rows to add, or to put in the place of those of the same ids. A gigabyte at most; of rows with the same id the last one
    /// counts.</param>
    /// <exception cref="ArgumentException">A vector is of another length or has no direction, or there are too many; nothing was changed.</exception>
    /// <exception cref="IOException">The file cannot be written; nothing was changed.</exception>
    public void Replace(IEnumerable<TId> removed, IEnumerable<(TId Id, float[] Vector)> added)
    {
        ArgumentNullException.ThrowIfNull(removed);
        ArgumentNullException.ThrowIfNull(added);
        TId[] gone = [.. removed];
        (TId Id, float[] Vector)[] rows = [.. added];
        if ((long)rows.Length * Dimension > MostFloatsOfAChange)
        {
            throw new ArgumentException($"{rows.Length} rows of {Dimension} values are more than a gigabyte, the most that one change takes. Make several, or "
                + "Upsert a data view, which does.", nameof(added));
        }
        var vectors = new float[rows.Length * Dimension];
        for (var i = 0; i < rows.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(rows[i].Vector, nameof(added));
            Scaled(rows[i].Id, rows[i].Vector, nameof(added)).CopyTo(vectors, i * Dimension);
        }
        Change(gone, [.. rows.Select(row => row.Id)], vectors);
    }

    /// <summary>
    /// Adds rows, or replaces those of the same ids; of rows with the same id the last one counts. Every 32,768 rows of 128 values (16 MB) are one change:
    /// canceled or failed in between, those before are there.
    /// </summary>
    /// <param name="data">The rows; read once.</param>
    /// <param name="idColumnName">Name of the column of ids: text or a key with text values for <see cref="string"/>, a whole number or a key for
    /// <see cref="long"/>.</param>
    /// <param name="inputColumnName">Name of the column of vectors: known-size, of <see cref="float"/>, such as an embedding.</param>
    /// <param name="cancellationToken">Ends it between two rows.</param>
    /// <returns>Rows that were read.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing, or has another type or length; nothing was written.</exception>
    /// <exception cref="InvalidOperationException">A row's vector has no direction; the rows of its change were not added.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public long Upsert(IDataView data, string idColumnName, string inputColumnName = "Features", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        var shape = ColumnShape.Find(data.Schema, inputColumnName);
        VectorRows.CheckColumn("input", inputColumnName, shape);
        var vectors = data.Schema[inputColumnName];
        if (((VectorDataViewType)vectors.Type).Size != Dimension)
        {
            throw Check.SchemaMismatch("input", inputColumnName, $"Vector<Single, {Dimension}>", vectors.Type.ToString()!,
                $"The vectors must come from the same encoder as those of '{FilePath}'.");
        }
        var idColumn = FindIds(data.Schema, idColumnName);
        ThrowIfReadOnly();

        using var cursor = data.GetRowCursor([vectors, idColumn]);
        var readId = NeighborIdReader.Open<TId>(cursor, idColumn);
        var most = Math.Clamp(FloatsAtOnce / Dimension, 1, MostRowsAtOnce);
        var (ids, batch, rows) = (new List<TId>(), new List<float>(), 0L);
        foreach (var vector in VectorRows.Of(cursor, vectors))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!UnitVector.Normalize(vector))
            {
                var left = new LeftOutVectors();
                left.Add(inputColumnName, rows, vector);
                throw new InvalidOperationException($"A vector has no direction.{left.First} Leave such rows out, such as with mlContext.Data.FilterByCustomPredicate.");
            }
            ids.Add(readId());
            batch.AddRange(vector);
            rows++;
            if (ids.Count == most)
                Flush();
        }
        Flush();
        return rows;

        void Flush()
        {
            if (ids.Count > 0)
                Change([], ids, [.. batch]);
            ids.Clear();
            batch.Clear();
        }
    }

    /// <summary>Removes the row of an id.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="IOException">The file cannot be written; the row was not removed.</exception>
    public bool Remove(TId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return Remove([id]) == 1;
    }

    /// <summary>Removes the rows of some ids, in one change.</summary>
    /// <param name="ids">The ids; those that are not there, and repeated ones, do not count.</param>
    /// <returns>How many were there.</returns>
    /// <exception cref="IOException">The file cannot be written; no row was removed.</exception>
    public int Remove(IEnumerable<TId> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return Change([.. ids], [], []);
    }

    /// <summary>Removes the rows whose ids a column has.</summary>
    /// <param name="data">Its rows are read once.</param>
    /// <param name="idColumnName">Name of the column of ids.</param>
    /// <returns>How many were there.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or has another type.</exception>
    /// <exception cref="IOException">The file cannot be written; no row was removed.</exception>
    public int Remove(IDataView data, string idColumnName)
    {
        ArgumentNullException.ThrowIfNull(data);
        var column = FindIds(data.Schema, idColumnName);
        using var cursor = data.GetRowCursor([column]);
        var readId = NeighborIdReader.Open<TId>(cursor, column);
        var ids = new List<TId>();
        while (cursor.MoveNext())
            ids.Add(readId());
        return Remove(ids);
    }

    /// <summary>Whether there is a row of an id.</summary>
    public bool Contains(TId id)
    {
        ArgumentNullException.ThrowIfNull(id);
        using var use = Lifetime.Enter();
        lock (_changing)
            return KnownRows().ContainsKey(id);
    }

    /// <summary>Finds the nearest rows of a vector.</summary>
    /// <param name="vector"><see cref="Dimension"/> values. One without direction (zero, NaN or infinite values) has no neighbors.</param>
    /// <param name="numberOfNeighbors">How many at most. From 1 to 1023.</param>
    /// <param name="search">Whether all rows are compared or those of the nearest cells only; null for <see cref="SearchMode"/>.</param>
    /// <param name="numberOfProbes">Cells that an approximate search looks into: more find more, and take longer. At least 1.</param>
    /// <returns>The neighbors, best first; of equal cosines the row that was added first comes first.</returns>
    /// <exception cref="ArgumentException">A number is out of range, or the vector has another length.</exception>
    /// <exception cref="FormatException">Vectors of the file are damaged; the message names it.</exception>
    public IReadOnlyList<Neighbor<TId>> Search(ReadOnlySpan<float> vector, int numberOfNeighbors = NearestNeighborsEstimator.Defaults.NumberOfNeighbors,
        NeighborSearch? search = null, int numberOfProbes = NeighborSearchOptions.SearchDefaults.NumberOfProbes)
    {
        if (vector.Length != Dimension)
            throw new ArgumentException($"The vector has {vector.Length} values, those of this index have {Dimension}.", nameof(vector));
        new OptionFaults().InRange(numberOfNeighbors, 1, NearestNeighborsEstimator.MaximumNeighbors).Defined(search ?? SearchMode, nameof(search))
            .AtLeast(numberOfProbes, 1).ThrowIfAny();
        return Find(vector.ToArray(), 1, numberOfNeighbors, search, numberOfProbes)[0];
    }

    /// <summary>Finds the neighbors of several vectors.</summary>
    /// <param name="vectors">count vectors, one after the other; changed.</param>
    /// <param name="count">Their number.</param>
    /// <param name="k">Neighbors of each.</param>
    /// <param name="search">Null for <see cref="SearchMode"/>.</param>
    /// <param name="probes">Of an approximate search.</param>
    internal Neighbor<TId>[][] Find(Span<float> vectors, int count, int k, NeighborSearch? search, int probes)
    {
        using var use = Lifetime.Enter();
        var state = _file.Enter();
        try
        {
            var found = new IndexSearch(state, Dimension, k, (search ?? SearchMode) == NeighborSearch.Exact ? 0 : probes).Find(vectors, count);
            return Array.ConvertAll(found, rows => Array.ConvertAll(rows, row =>
            {
                var block = state.Blocks[row.Block];
                return new Neighbor<TId>(_ids.Decode(block.Ids(state.Mapping), block.Count, row.Index), row.Score);
            }));
        }
        catch (FormatException fault)
        {
            throw Named(fault);
        }
        finally
        {
            state.Mapping.Leave();
        }
    }

    /// <summary>
    /// Writes the file anew, without the rows that were removed, and puts it in the place of the old one. Where the index is searched approximately and
    /// has four times as many rows as its cells were learned for, or a quarter, cells are learned anew. Searches go on meanwhile, but for the moment of the
    /// replacement; changes wait. It takes the disk space of both files.
    /// </summary>
    /// <param name="cancellationToken">Ends it; the file stays as it was.</param>
    /// <exception cref="IOException">The file cannot be written; it stays as it was.</exception>
    /// <exception cref="FormatException">Vectors of the file are damaged; it stays as it was.</exception>
    public void Compact(CancellationToken cancellationToken = default)
    {
        ThrowIfReadOnly();
        using var use = Lifetime.Enter();
        lock (_changing)
        {
            var compaction = new IndexCompaction(_file.Header, _file.State, new ShuffleRandom((ulong)_seed), cancellationToken);
            try
            {
                _file.Replace(stream => compaction.Write(stream, _ids));
            }
            catch (FormatException fault)
            {
                throw Named(fault);
            }
            _rows = null;
        }
        using var channel = _host.Start("Compact");
        channel.Info(MessageSensitivity.None, "'{0}' has {1} rows in {2} cells.", FilePath, Count, NumberOfCells);
    }

    /// <summary>Reads the whole file and compares it with its checksums.</summary>
    /// <exception cref="FormatException">It is damaged; the message names it.</exception>
    public void Verify()
    {
        using var use = Lifetime.Enter();
        var state = _file.Enter();
        try
        {
            for (var block = 0; block < state.BlockCount; block++)
                state.Blocks[block].Verify(state.Mapping);
        }
        catch (FormatException fault)
        {
            throw Named(fault);
        }
        finally
        {
            state.Mapping.Leave();
        }
    }

    /// <summary>Closes the file, once searches that have begun have ended.</summary>
    public void Dispose() => Lifetime.Close();

    private FormatException Named(FormatException fault) => new($"'{FilePath}' {fault.Message}", fault);

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly)
            throw new InvalidOperationException($"'{FilePath}' was opened to be read only. Open it with readOnly: false to change it.");
    }

    private static DataViewSchema.Column FindIds(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name) ?? throw Check.MissingColumn("id", name, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        var isText = typeof(TId) == typeof(string);
        var fits = NeighborIdReader.ItemType(column) is { } type && (type is TextDataViewType) == isText;
        return fits ? column : throw Check.SchemaMismatch("id", name, isText ? "String or a key of texts" : "a whole number or a key without texts",
            column.Type.ToString()!, isText ? "Or make an index of ids of long." : "Or make an index of ids of string.");
    }

    private float[] Scaled(TId id, ReadOnlySpan<float> vector, string parameter)
    {
        if (vector.Length != Dimension)
            throw new ArgumentException($"The vector has {vector.Length} values, those of this index have {Dimension}.", parameter);
        var own = vector.ToArray();
        return UnitVector.Normalize(own) ? own
            : throw new ArgumentException($"The vector of '{id}' has no direction: it is zero, or has NaN or infinite values. Leave it out.", parameter);
    }

    // How many rows were there that are removed, those that are replaced not among them.
    private int Change(IReadOnlyList<TId> removed, IReadOnlyList<TId> ids, float[] vectors)
    {
        ThrowIfReadOnly();
        using var use = Lifetime.Enter();
        lock (_changing)
        {
            var known = KnownRows();
            if (ids.Count > 1)
                (ids, vectors) = LastOfEach(ids, vectors);
            var there = removed.Where(known.ContainsKey).ToHashSet(_ids.Comparer);
            int[] gone = [.. there.Concat(ids.Where(known.ContainsKey)).Distinct(_ids.Comparer).Select(id => known[id])];
            if (gone.Length == 0 && ids.Count == 0)
                return 0;
            var state = _file.State;
            if (ids.Count > int.MaxValue - state.RowCount)
                throw new InvalidOperationException($"'{FilePath}' has had {state.RowCount} rows, and takes {int.MaxValue}. Compact() lets those go that were removed.");
            var cells = new int[ids.Count];
            state.Cells.Assign(vectors, Dimension, cells);
            // Cell after cell; of one cell in the order in which they came.
            long[] keys = [.. cells.Select((cell, i) => (long)cell << 32 | (uint)i)];
            Array.Sort(keys);
            int[] order = [.. keys.Select(key => (int)key)];
            var encoded = _ids.Encode([.. order.Select(i => ids[i])]);
            var header = new IndexBlockHeader(false, state.End.Sequence + 1, order.Length, gone.Length, encoded.Length,
                IndexBlockHeader.PieceRowsOf(Dimension), 0);
            _file.Append(IndexBlock.ToBytes(header, gone, [.. order.Select(i => cells[i])], [.. order.Select(i => state.RowCount + i)], encoded,
                Rearranged(vectors, order)));
            foreach (var id in there)
                known.Remove(id);
            for (var i = 0; i < order.Length; i++)
                known[ids[order[i]]] = state.RowCount + i;
            return there.Count;
        }
    }

    private float[] Rearranged(float[] vectors, int[] order)
    {
        var sorted = new float[vectors.Length];
        for (var i = 0; i < order.Length; i++)
            vectors.AsSpan(order[i] * Dimension, Dimension).CopyTo(sorted.AsSpan(i * Dimension));
        return sorted;
    }

    private (IReadOnlyList<TId>, float[]) LastOfEach(IReadOnlyList<TId> ids, float[] vectors)
    {
        var last = new Dictionary<TId, int>(ids.Count, _ids.Comparer);
        for (var i = 0; i < ids.Count; i++)
            last[ids[i]] = i;
        if (last.Count == ids.Count)
            return (ids, vectors);
        int[] kept = [.. last.Values.Order()];
        return ([.. kept.Select(i => ids[i])], Rearranged(vectors, kept)[..(kept.Length * Dimension)]);
    }

    private Dictionary<TId, int> KnownRows()
    {
        if (_rows is not null)
            return _rows;
        var state = _file.State;
        var rows = new Dictionary<TId, int>(state.Count, _ids.Comparer);
        for (var number = 0; number < state.BlockCount; number++)
        {
            var block = state.Blocks[number];
            var ids = block.Ids(state.Mapping);
            for (var i = 0; i < block.Count; i++)
            {
                if (block.IsThere(i, state.BlockCount))
                    rows[_ids.Decode(ids, block.Count, i)] = block.FirstRow + i;
            }
        }
        return _rows = rows;
    }
}

/// <summary>A row that is near.</summary>
/// <typeparam name="TId">What rows are called.</typeparam>
/// <param name="Id">Its id.</param>
/// <param name="Score">The cosine, from 1 to -1.</param>
public readonly record struct Neighbor<TId>(TId Id, float Score);
