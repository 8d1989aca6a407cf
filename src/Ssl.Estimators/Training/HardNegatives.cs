using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>A method that contrasts pairs, whose batches may be put together of rows that it takes for each other.</summary>
internal interface IContrastsPairs
{
    /// <summary>Rows that are put side by side; 1 leaves the order to chance.</summary>
    int HardNegativeGroupSize { get; }

    /// <summary>Both sides of each row as the method compares them, without views: [N, D] twice.</summary>
    /// <param name="columns">What <see cref="PretrainingMethod.Loss"/> gets.</param>
    (Tensor Anchors, Tensor Partners) EmbedPairs(IReadOnlyList<Batch> columns);
}

/// <summary>A source that has all rows at hand and can be told their order.</summary>
internal interface IArrangedSource
{
    /// <summary>All rows in their own order, drawing nothing at random.</summary>
    IEnumerable<IReadOnlyList<Batch>> InOrder();

    /// <summary>Arranges the rows of the next epoch.</summary>
    /// <param name="order">Gives the places of the rows in <see cref="InOrder"/>, each once; draws from the source's own random numbers.</param>
    void Arrange(Func<Random, int[]> order);
}

/// <summary>
/// Hard negatives without further texts: rows that the encoder of now takes for each other come into the same batch, where each is a negative of
/// the others.
/// </summary>
/// <remarks>
/// Byun et al., "GRIT-VLP: Grouped Mini-batch Sampling for Efficient Vision and Language Pre-training", 2022 (arXiv:2208.04060). Deviations: groups of
/// a few rows instead of whole batches, so that a batch stays mixed, and embeddings of one pass before the epoch instead of those of the last
/// steps, so that a resumed run has the same groups.
/// </remarks>
internal static class HardNegatives
{
    // Neighbors that are looked at for each row of a group, and rows among which they are sought at once.
    private const int NeighborsPerRow = 4, MostNeighbors = 64, MostRows = 1 << 16, RowsAtOnce = 512;

    // Two texts that are closer are the same one: a partner of either.
    private const double Same = 0.9999;

    /// <summary>Throws unless a source can be arranged for a method that wants it.</summary>
    /// <exception cref="InvalidOperationException">The rows are streamed.</exception>
    public static void Require(PretrainingMethod method, IBatchSource source)
    {
        if (method is IContrastsPairs { HardNegativeGroupSize: > 1 } pairs && source is not IArrangedSource)
        {
            throw new InvalidOperationException($"HardNegativeGroupSize is {pairs.HardNegativeGroupSize}, which needs all rows in memory, and they outgrow CacheLimit. "
                + "Raise CacheLimit, or set HardNegativeGroupSize to 1.");
        }
    }

    /// <summary>Arranges the rows of an epoch for a method that wants it; others, and the first epoch, stay as they are.</summary>
    /// <param name="method">In training mode, before and afterwards.</param>
    /// <param name="source">Its rows.</param>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="device">Where the method is.</param>
    /// <param name="inform">Told how many rows found company.</param>
    /// <param name="cancellationToken">Ends the search; the order then stays one of chance.</param>
    public static void Arrange(PretrainingMethod method, IBatchSource source, int epoch, Device device, Action<string> inform, CancellationToken cancellationToken)
    {
        if (epoch == 0 || method is not IContrastsPairs { HardNegativeGroupSize: > 1 } pairs || source is not IArrangedSource rows)
            return;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        method.eval();
        var (anchors, partners) = Embed(pairs, rows, device, cancellationToken);
        method.train();
        method.OnEpochStarting(epoch);
        if (cancellationToken.IsCancellationRequested)
            return;
        rows.Arrange(random =>
        {
            var order = Order(anchors, partners, pairs.HardNegativeGroupSize, random, out var grouped);
            inform(Invariant($"epoch {epoch + 1}: {grouped:N0} of {order.Length:N0} rows stand beside one that the encoder takes for them"));
            return order;
        });
    }

    /// <summary>All rows in groups of those that are near to each other; the groups in random order.</summary>
    /// <param name="anchors">Unit vectors [R, D].</param>
    /// <param name="partners">Unit vectors [R, D].</param>
    /// <param name="groupSize">Rows of a group at most. At least 2.</param>
    /// <param name="random">Draws who begins.</param>
    /// <param name="grouped">Rows in groups of more than one.</param>
    /// <returns>Each row once.</returns>
    public static int[] Order(Tensor anchors, Tensor partners, int groupSize, Random random, out int grouped)
    {
        var rows = (int)anchors.shape[0];
        int[] shuffled = [.. Enumerable.Range(0, rows)];
        random.Shuffle(shuffled);
        var groups = new List<List<int>>();
        foreach (var part in shuffled.Chunk(MostRows))
            AddGroups(groups, anchors, partners, part, groupSize);
        grouped = groups.Where(group => group.Count > 1).Sum(group => group.Count);
        // Groups that were made first had the choice: they come all over the epoch.
        var mixed = CollectionsMarshal.AsSpan(groups);
        random.Shuffle(mixed);
        return [.. groups.SelectMany(group => group)];
    }

    // From a row to its nearest one that has no group yet, and so on.
    private static void AddGroups(List<List<int>> groups, Tensor anchors, Tensor partners, int[] part, int groupSize)
    {
        var neighbors = Neighbors(anchors, partners, part, Math.Min(MostNeighbors, NeighborsPerRow * groupSize), out var count);
        var taken = new bool[part.Length];
        for (var first = 0; first < part.Length; first++)
        {
            if (taken[first])
                continue;
            var group = new List<int>();
            for (var next = first; next >= 0; next = group.Count < groupSize ? Free(next) : -1)
            {
                taken[next] = true;
                group.Add(part[next]);
            }
            groups.Add(group);
        }

        int Free(int row)
        {
            foreach (var neighbor in neighbors.AsSpan(row * count, count))
            {
                if (neighbor >= 0 && !taken[neighbor])
                    return (int)neighbor;
            }
            return -1;
        }
    }

    // For each row of a part, the places in it of the rows whose partners are the nearest to its anchor; -1 for the row itself and copies.
    private static long[] Neighbors(Tensor anchors, Tensor partners, int[] part, int wanted, out int count)
    {
        using var scope = NewDisposeScope();
        count = (int)Math.Min(wanted + 1L, part.Length);
        var numbers = tensor(part.Select(row => (long)row).ToArray(), device: anchors.device);
        var (from, to) = (anchors.index_select(0, numbers), partners.index_select(0, numbers));        // [P, D]
        var found = new List<Tensor>();
        for (long start = 0; start < part.Length; start += RowsAtOnce)
        {
            using var step = NewDisposeScope();
            var length = Math.Min(RowsAtOnce, part.Length - start);
            Tensor anchor = from.narrow(0, start, length), partner = to.narrow(0, start, length);
            var (_, places) = anchor.mm(to.t()).topk(count, 1);                                        // [n, K]
            var isSame = Copies(anchor, from, places).logical_or(Copies(partner, to, places));
            found.Add(places.masked_fill(isSame, Number(-1L)).cpu().MoveToOuterDisposeScope());
        }
        return MemoryMarshal.Cast<byte, long>(cat(found).contiguous().bytes).ToArray();
    }

    // Whether vectors at places are those of the rows: [n, K].
    private static Tensor Copies(Tensor rows, Tensor all, Tensor places)
    {
        var others = all.index_select(0, places.flatten()).view(places.shape[0], places.shape[1], all.shape[1]);    // [n, K, D]
        return others.bmm(rows.unsqueeze(2)).squeeze(2).ge(Number(Same));
    }

    private static (Tensor Anchors, Tensor Partners) Embed(IContrastsPairs pairs, IArrangedSource rows, Device device, CancellationToken cancellationToken)
    {
        List<Tensor> anchors = [], partners = [];
        foreach (var columns in rows.InOrder())
        {
            using var step = NewDisposeScope();
            Batch[] moved = [.. columns.Select(column => column.To(device))];
            var (anchor, partner) = pairs.EmbedPairs(moved);
            anchors.Add(nn.functional.normalize(anchor).MoveToOuterDisposeScope());
            partners.Add(nn.functional.normalize(partner).MoveToOuterDisposeScope());
            foreach (var column in columns.Concat(moved).Distinct())
                column.Dispose();
            if (cancellationToken.IsCancellationRequested)
                break;
        }
        return (cat(anchors), cat(partners));
    }
}
