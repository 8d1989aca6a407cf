using System.Numerics.Tensors;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>Rows of a block that lie in one cell: they stand side by side.</summary>
internal readonly record struct IndexRun(int Block, int First, int Count);

/// <summary>
/// The cells around centers in which the rows of an index file lie, one for all where there are no centers. Runs are appended by one thread while
/// others read those that were there before.
/// </summary>
internal sealed class IndexCells
{
    private const int RowsAtOnce = 256;

    private readonly Runs[] _runs;

    private IndexCells(float[] centers, int count, int learnedFor)
    {
        (Centers, LearnedFor) = (centers, learnedFor);
        _runs = [.. Enumerable.Range(0, count).Select(_ => new Runs())];
    }

    /// <summary>One cell without a center.</summary>
    public static IndexCells Single() => new([], 1, 0);

    /// <summary>Cells around centers.</summary>
    public static IndexCells Around(IndexBlock centers, FileMapping mapping)
        => new(centers.Vectors(mapping, 0, centers.Count).ToArray(), centers.Count, centers.Header.RemovedCount);

    /// <summary>Cells around centers that were just learned.</summary>
    public static IndexCells Around(float[] centers, int dimension, int learnedFor) => new(centers, centers.Length / dimension, learnedFor);

    /// <summary>The centers, of length 1, one after the other; none where there is one cell.</summary>
    public float[] Centers { get; }

    /// <summary>For how many rows they were learned.</summary>
    public int LearnedFor { get; }

    /// <summary>Number of cells.</summary>
    public int Count => _runs.Length;

    /// <summary>The runs of a cell, in the order of their blocks; those of blocks that came later may be among them.</summary>
    public ReadOnlySpan<IndexRun> RunsOf(int cell) => _runs[cell].Items;

    /// <summary>Adds the rows of a block.</summary>
    /// <param name="block">Its place among the blocks.</param>
    /// <param name="cells">Of its rows.</param>
    /// <exception cref="FormatException">They do not rise, or there is no such cell.</exception>
    public void Add(int block, ReadOnlySpan<int> cells)
    {
        for (var first = 0; first < cells.Length;)
        {
            var cell = cells[first];
            if (cell < 0 || cell >= Count || first > 0 && cells[first - 1] > cell)
                throw IndexHeader.Damage("rows lie in cells that are not there");
            var length = cells[first..].IndexOfAnyExcept(cell);
            length = length < 0 ? cells.Length - first : length;
            _runs[cell].Add(new IndexRun(block, first, length));
            first += length;
        }
    }

    /// <summary>The nearest center of each of some vectors.</summary>
    /// <param name="vectors">Of length 1, one after the other.</param>
    /// <param name="dimension">Length of the vectors.</param>
    /// <param name="nearest">Takes the numbers of their cells.</param>
    public void Assign(float[] vectors, int dimension, int[] nearest)
    {
        if (Centers.Length == 0)
        {
            Array.Clear(nearest);
            return;
        }
        Parallel.For(0, (nearest.Length + RowsAtOnce - 1) / RowsAtOnce, part =>
        {
            var products = new float[Count];
            for (var row = part * RowsAtOnce; row < Math.Min(nearest.Length, (part + 1) * RowsAtOnce); row++)
            {
                VectorProducts.Of(vectors.AsSpan(row * dimension, dimension), Centers, products);
                nearest[row] = TensorPrimitives.IndexOfMax<float>(products);
            }
        });
    }

    // The array is replaced when it is full, and the count is told after what it counts.
    private sealed class Runs
    {
        private IndexRun[] _items = [];
        private int _count;

        public ReadOnlySpan<IndexRun> Items
        {
            get
            {
                var count = Volatile.Read(ref _count);
                return Volatile.Read(ref _items).AsSpan(0, count);
            }
        }

        public void Add(IndexRun run)
        {
            if (_count == _items.Length)
            {
                var items = new IndexRun[Math.Max(4, 2 * _items.Length)];
                _items.CopyTo(items, 0);
                Volatile.Write(ref _items, items);
            }
            _items[_count] = run;
            Volatile.Write(ref _count, _count + 1);
        }
    }
}
