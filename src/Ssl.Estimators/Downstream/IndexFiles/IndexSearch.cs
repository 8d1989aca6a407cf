namespace Ssl.Estimators.Downstream;

/// <summary>A row that was found.</summary>
/// <param name="Block">Its block.</param>
/// <param name="Index">Its place there.</param>
/// <param name="Score">Its cosine.</param>
/// <param name="Order">Where it comes in the order in which rows were added.</param>
internal readonly record struct FoundRow(int Block, int Index, float Score, int Order);

/// <summary>
/// Finds the nearest rows of a state. Products in single precision choose candidates, with all that rounding could have put behind them; their cosines
/// in double precision, rounded once, order them, so that the same two vectors always have the same score. Of equal scores the row that was added first
/// comes first.
/// </summary>
/// <param name="state">Entered by the caller.</param>
/// <param name="dimension">Length of the vectors.</param>
/// <param name="k">Neighbors a query.</param>
/// <param name="probes">Cells that a query looks into; 0 for all rows.</param>
internal sealed class IndexSearch(IndexState state, int dimension, int k, int probes)
{
    // Queries that go over the rows together: they stay in the cache, and a row is loaded once for all of them.
    private const int QueriesAtOnce = 32;

    private readonly float _tolerance = 4 * CosineRefinement.Tolerance(dimension);

    /// <summary>Searches.</summary>
    /// <param name="queries">Scaled to length 1 in place; one without direction finds nothing.</param>
    /// <param name="count">Their number.</param>
    /// <returns>For every query at most k rows, best first.</returns>
    /// <exception cref="FormatException">Vectors of the file are damaged.</exception>
    public FoundRow[][] Find(Span<float> queries, int count)
    {
        var scaled = queries[..(count * dimension)].ToArray();
        var best = new Candidates?[count];
        for (var query = 0; query < count; query++)
            best[query] = UnitVector.Normalize(scaled.AsSpan(query * dimension, dimension)) ? new Candidates(k, _tolerance) : null;
        int[] valid = [.. Enumerable.Range(0, count).Where(query => best[query] is not null)];
        var isExact = probes <= 0 || probes >= state.Cells.Count;
        // Those that look into the same cells share their rows: as few groups as there are cores. Those that look at all rows share them in any case.
        var size = isExact ? QueriesAtOnce : Math.Max(1, (valid.Length + Environment.ProcessorCount - 1) / Environment.ProcessorCount);
        var found = new FoundRow[count][];
        Array.Fill(found, []);
        var groups = valid.Chunk(size).ToArray();
        if (groups.Length == 1)
            FindGroup(groups[0]);
        else
            Rethrowing(() => Parallel.ForEach(groups, FindGroup));
        return found;

        void FindGroup(int[] group)
        {
            var packed = new float[group.Length * dimension];
            for (var i = 0; i < group.Length; i++)
                scaled.AsSpan(group[i] * dimension, dimension).CopyTo(packed.AsSpan(i * dimension));
            Candidates[] own = [.. group.Select(query => best[query]!)];
            if (isExact)
                ScanAll(packed, own);
            else
                ScanCells(packed, own);
            for (var i = 0; i < group.Length; i++)
                found[group[i]] = Choose(packed.AsSpan(i * dimension, dimension), own[i]);
        }
    }

    private void ScanAll(float[] queries, Candidates[] best)
    {
        for (var block = 0; block < state.BlockCount; block++)
            Scan(new IndexRun(block, 0, state.Blocks[block].Count), queries, best);
    }

    // Cell by cell, so that all queries that look into one go over its rows together.
    private void ScanCells(float[] queries, Candidates[] best)
    {
        var cells = state.Cells;
        var (products, nearest, rows) = (new float[cells.Count], new float[probes], new long[probes]);
        var visits = new (int Cell, int Query)[best.Length * probes];
        for (var query = 0; query < best.Length; query++)
        {
            VectorProducts.Of(queries.AsSpan(query * dimension, dimension), cells.Centers, products);
            Array.Fill(nearest, TopScores.None);
            TopScores.Scan(products, 0, nearest, rows);
            for (var i = 0; i < probes; i++)
                visits[query * probes + i] = ((int)rows[i], query);
        }
        Array.Sort(visits);
        var (gathered, own) = (new float[queries.Length], new Candidates[best.Length]);
        for (int start = 0, end; start < visits.Length; start = end)
        {
            var cell = visits[start].Cell;
            for (end = start; end < visits.Length && visits[end].Cell == cell; end++)
            {
                var query = visits[end].Query;
                queries.AsSpan(query * dimension, dimension).CopyTo(gathered.AsSpan((end - start) * dimension));
                own[end - start] = best[query];
            }
            foreach (var run in cells.RunsOf(cell))
            {
                if (run.Block >= state.BlockCount)
                    break;
                Scan(run, gathered.AsSpan(0, (end - start) * dimension), own.AsSpan(0, end - start));
            }
        }
    }

    private void Scan(IndexRun run, ReadOnlySpan<float> queries, ReadOnlySpan<Candidates> best)
    {
        var block = state.Blocks[run.Block];
        var rowsAtOnce = block.Header.PieceRows;
        Span<float> products = stackalloc float[QueriesAtOnce];
        var many = best.Length < 4 ? new float[Math.Min(rowsAtOnce, run.Count)] : [];
        for (int first = run.First, length; first < run.First + run.Count; first += length)
        {
            length = Math.Min(rowsAtOnce, run.First + run.Count - first);
            var vectors = block.Vectors(state.Mapping, first, length);
            // Four products are computed at once: of a row with the queries, or where these are few of a query with the rows.
            if (best.Length < 4)
            {
                for (var query = 0; query < best.Length; query++)
                {
                    VectorProducts.Of(queries.Slice(query * dimension, dimension), vectors, many.AsSpan(0, length));
                    for (var row = 0; row < length; row++)
                        Consider(best[query], many[row], block, run.Block, first + row);
                }
                continue;
            }
            for (var part = 0; part < best.Length; part += QueriesAtOnce)
            {
                var partLength = Math.Min(QueriesAtOnce, best.Length - part);
                var partQueries = queries.Slice(part * dimension, partLength * dimension);
                for (var row = 0; row < length; row++)
                {
                    VectorProducts.Of(vectors.Slice(row * dimension, dimension), partQueries, products[..partLength]);
                    for (var query = 0; query < partLength; query++)
                        Consider(best[part + query], products[query], block, run.Block, first + row);
                }
            }
        }
    }

    private void Consider(Candidates best, float score, IndexBlock block, int blockNumber, int index)
    {
        if (score >= best.Threshold && block.IsThere(index, state.BlockCount))
            best.Add(score, blockNumber, index);
    }

    private FoundRow[] Choose(ReadOnlySpan<float> query, Candidates candidates)
    {
        var all = new List<FoundRow>();
        foreach (var (score, blockNumber, index) in candidates.Items)
        {
            if (score < candidates.Threshold)
                continue;
            var block = state.Blocks[blockNumber];
            var cosine = CosineRefinement.Cosine(query, block.Vectors(state.Mapping, index, 1));
            all.Add(new FoundRow(blockNumber, index, (float)cosine, block.Orders(state.Mapping)[index]));
        }
        all.Sort(static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Order.CompareTo(b.Order));
        return [.. all.Take(k)];
    }

    // The caller shall see what happened, not that it happened on another thread.
    private static void Rethrowing(Action action)
    {
        try
        {
            action();
        }
        catch (AggregateException faults) when (faults.InnerExceptions.All(fault => fault is FormatException))
        {
            throw new FormatException(faults.InnerExceptions[0].Message, faults);
        }
    }

    /// <summary>The best scores of a query, and all that are as good within the tolerance of rounding.</summary>
    private sealed class Candidates(int k, float tolerance)
    {
        private readonly float[] _best = [.. Enumerable.Repeat(TopScores.None, k)];     // falling
        private readonly List<(float Score, int Block, int Index)> _items = [];
        private int _most = Math.Max(256, 4 * k);

        /// <summary>What is below it is not among the best.</summary>
        public float Threshold { get; private set; } = TopScores.None;

        /// <summary>The candidates, and some that no longer are.</summary>
        public IReadOnlyList<(float Score, int Block, int Index)> Items => _items;

        /// <summary>Adds one that is not below the threshold.</summary>
        public void Add(float score, int block, int index)
        {
            if (score > _best[^1])
            {
                var place = k - 1;
                for (; place > 0 && _best[place - 1] < score; place--)
                    _best[place] = _best[place - 1];
                _best[place] = score;
                Threshold = _best[^1] - tolerance;
            }
            _items.Add((score, block, index));
            if (_items.Count < _most)
                return;
            _items.RemoveAll(item => item.Score < Threshold);
            _most = Math.Max(_most, 2 * _items.Count);
        }
    }
}
