namespace Ssl.Estimators.Data;

/// <summary>Texts cut into groups of similar length, because every text of a batch is padded to its longest one.</summary>
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

    /// <summary>Whether the texts stand in their own order.</summary>
    public bool IsInOrder
    {
        get
        {
            for (var i = 0; i < Order.Length; i++)
            {
                if (Order[i] != i)
                    return false;
            }
            return true;
        }
    }

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

    /// <summary>All texts in one group, in their own order.</summary>
    public static LengthGroups One(TokenRows tokens) => new(Identity(tokens.Count), [0, tokens.Count]);

    /// <summary>Groups of at least 64 texts, the shortest texts first; a single one where there are fewer than twice as many.</summary>
    public static LengthGroups Of(TokenRows tokens)
    {
        var count = tokens.Count / Least;
        if (count < 2)
            return One(tokens);
        var order = Identity(tokens.Count);
        var lengths = Array.ConvertAll(order, tokens.Length);
        Array.Sort(lengths, order);
        return new LengthGroups(order, [.. Enumerable.Range(0, count + 1).Select(i => (int)((long)tokens.Count * i / count))]);
    }

    /// <summary>
    /// Groups for a network so large that some hundred tokens are work enough: the shortest texts first.
    /// </summary>
    /// <param name="tokens">The texts.</param>
    /// <param name="least">Tokens, with which a group ends.</param>
    public static LengthGroups OfTokens(TokenRows tokens, int least)
    {
        var order = Identity(tokens.Count);
        var lengths = Array.ConvertAll(order, tokens.Length);
        Array.Sort(lengths, order);
        var starts = new List<int> { 0 };
        for (var i = 1; i < order.Length; i++)
        {
            if (lengths[i - 1] * (i - starts[^1]) >= least)
                starts.Add(i);
        }
        starts.Add(order.Length);
        return new LengthGroups(order, [.. starts]);
    }

    private static int[] Identity(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
            order[i] = i;
        return order;
    }
}
