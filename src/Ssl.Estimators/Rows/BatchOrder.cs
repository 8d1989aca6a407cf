namespace Ssl.Estimators.Rows;

/// <summary>Cuts rows into batches in a new random order.</summary>
internal static class BatchOrder
{
    // Within so many batches rows are sorted by length; wide enough to save padding, narrow enough to keep batches mixed.
    private const int GroupedBatches = 50;

    /// <summary>All rows in random order.</summary>
    public static int[] Shuffled(int count, Random random)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;
        random.Shuffle(order);
        return order;
    }

    /// <summary>Full batches of the order and, unless <paramref name="dropLast"/>, the rest.</summary>
    /// <param name="order">Row numbers; its order may be changed.</param>
    /// <param name="batchSize">Rows a batch.</param>
    /// <param name="dropLast">Leaves out the last, smaller batch; the only one is always kept.</param>
    /// <param name="length">Length of a row, to put rows of similar length together; null leaves the order as it is.</param>
    /// <param name="random">Shuffles the grouped batches, so that short and long ones alternate.</param>
    public static IEnumerable<ArraySegment<int>> Cut(int[] order, int batchSize, bool dropLast, Func<int, int>? length, Random random)
    {
        if (order.Length == 0)
            yield break;
        var count = order.Length <= batchSize || !dropLast ? (int)(((long)order.Length + batchSize - 1) / batchSize) : order.Length / batchSize;
        if (length is null)
        {
            for (var i = 0; i < count; i++)
                yield return Batch(order, i, batchSize);
            yield break;
        }
        for (var first = 0; first < count; first += GroupedBatches)
        {
            var batches = Math.Min(GroupedBatches, count - first);
            var rows = order.AsSpan(first * batchSize, (int)Math.Min((long)batches * batchSize, order.Length - first * batchSize));
            rows.Sort((a, b) => length(a).CompareTo(length(b)));
            var sequence = Shuffled(batches, random);
            foreach (var i in sequence)
                yield return Batch(order, first + i, batchSize);
        }
    }

    /// <summary>Batches of nearly equal size, none larger than the batch size, in the order given: a loss per batch then counts
    /// alike.</summary>
    /// <param name="order">Row numbers; not changed.</param>
    /// <param name="batchSize">Most rows a batch.</param>
    public static IEnumerable<ArraySegment<int>> Even(int[] order, int batchSize)
    {
        long count = ((long)order.Length + batchSize - 1) / batchSize;
        for (long i = 0; i < count; i++)
        {
            int start = (int)(i * order.Length / count), end = (int)((i + 1) * order.Length / count);
            yield return new ArraySegment<int>(order, start, end - start);
        }
    }

    /// <summary>
    /// Full batches of rows that lie evenly over the order, each of them from all over it; of fewer rows than a batch has, one of all.
    /// Nothing is drawn at random.
    /// </summary>
    /// <param name="order">Row numbers; not changed.</param>
    /// <param name="batchSize">Rows a batch.</param>
    /// <param name="most">Batches at most.</param>
    public static IEnumerable<ArraySegment<int>> Spread(int[] order, int batchSize, int most)
    {
        int batches = Math.Min(most, Math.Max(1, order.Length / batchSize));
        long chosen = Math.Min(order.Length, (long)batches * batchSize);
        for (int batch = 0; batch < batches && chosen > 0; batch++)
        {
            var rows = new List<int>();
            for (long i = batch; i < chosen; i += batches)
                rows.Add(order[i * order.Length / chosen]);
            yield return new ArraySegment<int>([.. rows]);
        }
    }

    /// <summary>Cuts a batch, in its order, so that no part has more values with its padding than a limit.</summary>
    /// <param name="batch">Row numbers; not changed.</param>
    /// <param name="length">Length of a row.</param>
    /// <param name="limit">Rows times the longest length of a part.</param>
    /// <param name="least">Rows that a part has all the same, where the batch has as many.</param>
    public static IEnumerable<ArraySegment<int>> Bounded(ArraySegment<int> batch, Func<int, int> length, long limit, int least)
    {
        int start = 0;
        long longest = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            longest = Math.Max(longest, length(batch[i]));
            if ((i + 1 - start) * longest <= limit)
                continue;
            // Before this row, or further up, where those that are left would be too few.
            int cut = Math.Min(i, batch.Count - least);
            if (cut - start < least)
                continue;
            yield return batch[start..cut];
            start = cut;
            longest = Enumerable.Range(cut, i + 1 - cut).Max(row => (long)length(batch[row]));
        }
        if (start < batch.Count)
            yield return batch[start..];
    }

    /// <summary>Number of batches that <see cref="Cut"/> makes of so many rows.</summary>
    public static long Count(long rows, int batchSize, bool dropLast)
        => rows <= batchSize || !dropLast ? (rows + batchSize - 1) / batchSize : rows / batchSize;

    private static ArraySegment<int> Batch(int[] order, int index, int batchSize)
        => new(order, index * batchSize, Math.Min(batchSize, order.Length - index * batchSize));
}
