using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>Texts or series cut into groups of similar length, because every row of a batch is padded to its longest one.</summary>
internal sealed class LengthGroups
{
    // Smaller batches would waste more on the calls than they save on padding.
    private const int Least = 64;

    private readonly int[] _starts;

    private LengthGroups(int[] order, int[] starts) => (Order, _starts) = (order, starts);

    /// <summary>Number of groups.</summary>
    public int Count => _starts.Length - 1;

    /// <summary>The texts, group after group.</summary>
    public int[] Order { get; }

    /// <summary>The texts of a group.</summary>
    public ReadOnlySpan<int> this[int group] => Order.AsSpan(_starts[group].._starts[group + 1]);

    /// <summary>Where each text stands in <see cref="Order"/>.</summary>
    public long[] Places
    {
        get
        {
            var places = new long[Order.Length];
            for (var i = 0; i < places.Length; i++)
                places[Order[i]] = i;
            return places;
        }
    }

    /// <summary>All rows in one group, in their own order.</summary>
    private static LengthGroups One(int count) => new(Identity(count), [0, count]);

    /// <summary>Groups of at least 64 texts, the shortest texts first; a single one where there are fewer than twice as many.</summary>
    public static LengthGroups Of(TokenRows tokens)
    {
        var count = tokens.Count / Least;
        if (count < 2)
            return One(tokens.Count);
        var (order, _) = ByLength(tokens);
        return new LengthGroups(order, [.. Enumerable.Range(0, count + 1).Select(i => (int)((long)tokens.Count * i / count))]);
    }

    /// <summary>
    /// Groups for a network so large that some hundred tokens are work enough: the shortest texts first; a single one in its own order.
    /// </summary>
    /// <param name="count">Texts.</param>
    /// <param name="length">Tokens of each.</param>
    /// <param name="least">Tokens, with which a group ends.</param>
    public static LengthGroups OfTokens(int count, Func<int, int> length, int least)
    {
        var (order, lengths) = ByLength(count, length);
        var starts = new List<int> { 0 };
        for (var i = 1; i < order.Length; i++)
        {
            if (lengths[i - 1] * (i - starts[^1]) >= least)
                starts.Add(i);
        }
        return starts.Count == 1 ? One(count) : new LengthGroups(order, [.. starts, order.Length]);
    }

    /// <summary>Groups of rows that pad each other little: the shortest first; a single one in its own order.</summary>
    /// <param name="count">Rows.</param>
    /// <param name="length">Length of each.</param>
    /// <param name="ratio">The longest of a group has at most so many times the length of its shortest.</param>
    /// <param name="paddedLength">All rows are padded to at least this length.</param>
    /// <param name="most">Rows times the longest length of a group, but for a single row.</param>
    public static LengthGroups Of(int count, Func<int, int> length, int ratio, int paddedLength, long most)
    {
        int least = int.MaxValue, greatest = paddedLength;
        for (var row = 0; row < count; row++)
            (least, greatest) = (Math.Min(least, length(row)), Math.Max(greatest, length(row)));
        // The usual case, a row of a PredictionEngine among it: nothing is sorted.
        if (greatest <= ratio * (long)Math.Max(paddedLength, least) && count * (long)greatest <= most)
            return One(count);
        var (order, lengths) = ByLength(count, length);
        var starts = new List<int> { 0 };
        for (var i = 1; i < count; i++)
        {
            long shortest = Math.Max(paddedLength, lengths[starts[^1]]), longest = Math.Max(paddedLength, lengths[i]);
            if (longest > ratio * shortest || (i + 1 - starts[^1]) * longest > most)
                starts.Add(i);
        }
        return starts.Count == 1 ? One(count) : new LengthGroups(order, [.. starts, count]);
    }

    /// <summary>Embeddings of all rows, in their own order.</summary>
    /// <param name="encode">Gives those of a group, [rows, D].</param>
    public Tensor Encode(Func<ReadOnlySpan<int>, Tensor> encode)
    {
        if (Count == 1)
            return encode(Order);
        var parts = new Tensor[Count];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = encode(this[i]);
        var embeddings = cat(parts);
        return embeddings.index_select(0, tensor(Places, device: embeddings.device));
    }

    private static (int[] Order, int[] Lengths) ByLength(TokenRows tokens) => ByLength(tokens.Count, tokens.Length);

    private static (int[] Order, int[] Lengths) ByLength(int count, Func<int, int> length)
    {
        var order = Identity(count);
        var lengths = Array.ConvertAll(order, row => length(row));
        Array.Sort(lengths, order);
        return (order, lengths);
    }

    private static int[] Identity(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;
        return order;
    }
}
