using Microsoft.ML.Data;

namespace Ssl.Estimators.Transformers;

/// <summary>
/// What was computed of the rows of one view, so that a trainer that reads the view many times has each row computed once. Any number of
/// passes at once.
/// </summary>
/// <remarks>
/// Rows are known by their ids. Nothing is served before the ids are known to tell rows apart: a whole pass was read in which none came
/// twice; or the view's order cannot change and the row stands where it stood when it was kept. An id that comes twice in a pass ends the
/// keeping for good.
/// </remarks>
/// <param name="width">Numbers a row.</param>
/// <param name="settings">Limit and log.</param>
/// <param name="fixedOrder">Whether every pass has the rows in the same order.</param>
/// <param name="column">The column computed, for the warning.</param>
internal sealed class RowMemo(int width, ScoringSettings settings, bool fixedOrder, string column)
{
    // An id in the list and in the dictionary, its slot, the dictionary's own fields at its usual load.
    private const int BytesARowBeside = 64;

    // Blocks of about a megabyte, so that a small view costs little and none is ever copied.
    private readonly int _rowsABlock = Math.Clamp((1 << 18) / width, 1, 4096);
    private readonly int _limit = settings.MemoryLimit;
    private readonly int _capacity = (int)Math.Min(int.MaxValue / 2, ((long)settings.MemoryLimit << 20) / (4L * width + BytesARowBeside));
    private readonly Lock _gate = new();
    private Dictionary<DataViewRowId, int> _slots = [];
    private List<DataViewRowId> _ids = [];
    private List<float[]> _blocks = [];
    private bool _unique, _left, _warned;
    private volatile bool _off, _complete;

    /// <summary>Whether every row is kept and can be told from the others: nothing is computed any more.</summary>
    public bool IsComplete => _complete && !_off;

    /// <summary>Number of rows kept.</summary>
    public int Count => _ids.Count;

    /// <summary>Begins a pass over the rows.</summary>
    public Pass Begin()
    {
        bool warn;
        int count;
        lock (_gate)
        {
            warn = _left && !_warned && !_off;
            _warned |= warn;
            count = _ids.Count;
        }
        if (warn)
        {
            settings.Warn($"Column '{column}' is read again, and what was computed of its first {count:N0} rows fills the {_limit:N0} MB of "
                + "EmbeddingMemoryLimit: the other rows are computed anew in every pass. Set mlContext.SelfSupervised()."
                + "EmbeddingMemoryLimit to more megabytes, or put AppendCacheCheckpoint(mlContext) between this stage and the trainer.");
        }
        return new Pass(this);
    }

    /// <summary>Lets everything go: ids do not tell the rows apart, or there is nobody to serve.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _off = true;
            // Passes under way may still read the old ones.
            (_slots, _ids, _blocks) = ([], [], []);
        }
    }

    private Memory<float> Numbers(int slot) => _blocks[slot / _rowsABlock].AsMemory(slot % _rowsABlock * width, width);

    /// <summary>One pass over the rows, on one thread.</summary>
    internal sealed class Pass(RowMemo memo)
    {
        private ulong[] _seen = [];
        private long _rows;
        private int _seenCount;

        /// <summary>Finds what was computed of the row on which the pass now stands; false where it must be computed.</summary>
        /// <param name="id">The row's.</param>
        /// <param name="position">Rows of this pass before it.</param>
        /// <param name="numbers">Gets them.</param>
        public bool TryGet(DataViewRowId id, long position, Span<float> numbers)
        {
            lock (memo._gate)
            {
                _rows++;
                if (memo._off || Find(id, position) is not { } slot || !(memo._unique || Stays(slot)) || !See(slot))
                    return false;
                memo.Numbers(slot).Span.CopyTo(numbers);
                return true;
            }

            bool Stays(int slot) => memo.FixedOrder && slot == position;
        }

        /// <summary>The same without a copy and without a lock, once the memo is complete.</summary>
        public bool TryGetComplete(DataViewRowId id, long position, out ReadOnlyMemory<float> numbers)
        {
            numbers = default;
            // Nothing changes any more but that Stop puts empty ones in their place: take them before asking whether it did.
            var (slots, ids, blocks) = (memo._slots, memo._ids, memo._blocks);
            if (memo._off)
                return false;
            int slot;
            if (position < ids.Count && ids[(int)position].Equals(id))
                slot = (int)position;
            else if (!slots.TryGetValue(id, out slot))
                return false;
            if (!See(slot))
                return false;
            numbers = blocks[slot / memo._rowsABlock].AsMemory(slot % memo._rowsABlock * memo.Width, memo.Width);
            return true;
        }

        /// <summary>Keeps what was computed of a row that <see cref="TryGet"/> did not find.</summary>
        public void Add(DataViewRowId id, ReadOnlySpan<float> numbers)
        {
            lock (memo._gate)
            {
                if (memo._off || memo._complete)
                    return;
                if (memo._slots.TryGetValue(id, out var slot))
                {
                    See(slot);                                      // kept by another pass meanwhile, or not to be trusted yet
                    return;
                }
                slot = memo._ids.Count;
                if (memo._left || slot >= memo._capacity)
                {
                    memo._left = true;
                    return;
                }
                if (slot % memo._rowsABlock == 0)
                    memo._blocks.Add(new float[memo._rowsABlock * memo.Width]);
                memo._slots.Add(id, slot);
                memo._ids.Add(id);
                numbers.CopyTo(memo.Numbers(slot).Span);
                See(slot);
            }
        }

        /// <summary>The pass has come to the end of the rows.</summary>
        public void Finish()
        {
            lock (memo._gate)
            {
                // Of a pass that saw not all that is kept nothing follows.
                if (memo._off || _seenCount != memo._ids.Count)
                    return;
                memo._unique = true;
                memo._complete = _rows == _seenCount;
            }
        }

        private int? Find(DataViewRowId id, long position)
            => position < memo._ids.Count && memo._ids[(int)position].Equals(id) ? (int)position
                : memo._slots.TryGetValue(id, out var slot) ? slot : null;

        // False, and the end of keeping, where the id came before in this pass.
        private bool See(int slot)
        {
            var (word, bit) = (slot >> 6, 1UL << (slot & 63));
            if (word >= _seen.Length)
                Array.Resize(ref _seen, Math.Max(word + 1, 2 * _seen.Length));
            if ((_seen[word] & bit) != 0)
            {
                memo.Stop();
                return false;
            }
            _seen[word] |= bit;
            _seenCount++;
            return true;
        }
    }

    private bool FixedOrder => fixedOrder;

    private int Width => width;
}
