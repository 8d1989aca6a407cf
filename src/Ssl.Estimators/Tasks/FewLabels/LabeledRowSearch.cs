namespace Ssl.Estimators.Tasks;

/// <summary>What a search on labeled rows chooses among, and how it cuts the rows to judge that.</summary>
internal static class LabeledRowSearch
{
    /// <summary>Fewer labeled rows are cut into folds twice: one way of cutting says too little.</summary>
    public const int RowsForOneCut = 300;

    /// <summary>Variance of all slots together for which the penalties are meant.</summary>
    public const double TotalVariance = 64;

    // The mean loss of a row has these, on features of TotalVariance. Under the strongest, weights point along the differences of the class means:
    // with many slots and few rows nothing finer is known.
    private static readonly double[] s_l2 = [10, 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003];
    private static readonly double[] s_l1 = [0.001, 0.004];
    private static readonly double[] s_l2BesideL1 = [0.01, 0.0003];

    /// <summary>How trees are grown on few rows, from little to much.</summary>
    public static IReadOnlyList<TreeSettings> Trees { get; } =
        [new(31, 2, 40, 0.1), new(31, 5, 40, 0.1), new(31, 20, 100, 0.1), new(8, 5, 100, 0.1), new(31, 10, 200, 0.05)];

    /// <summary>Penalties of a linear model, each L1 from strong to weak L2.</summary>
    /// <param name="isSparse">Whether many values are zeros: then some slots may be worth nothing at all.</param>
    public static Penalty[] Penalties(bool isSparse)
    {
        Penalty[] path = [.. s_l2.Select(l2 => new Penalty(0, l2))];
        return isSparse ? [.. path, .. s_l1.SelectMany(l1 => s_l2BesideL1.Select(l2 => new Penalty(l1, l2)))] : path;
    }

    /// <summary>Cuts rows into folds, each with the same share of each group as far as they go.</summary>
    /// <param name="groups">The group of each row, such as its class.</param>
    /// <param name="folds">Number of folds; at most one a row.</param>
    /// <param name="random">Draws which row goes where.</param>
    /// <returns>For each fold the rows to learn from and those that judge.</returns>
    public static (int[] Used, int[] Held)[] Cut(IReadOnlyList<double> groups, int folds, Random random)
    {
        folds = Math.Min(folds, groups.Count);
        var fold = new int[groups.Count];
        var next = 0;
        foreach (var group in Enumerable.Range(0, groups.Count).GroupBy(i => groups[i]))
        {
            int[] members = [.. group];
            random.Shuffle(members);
            foreach (var i in members)
                fold[i] = next++ % folds;
        }
        return [.. Enumerable.Range(0, folds).Select(f => (Where(i => fold[i] != f), Where(i => fold[i] == f)))];

        int[] Where(Func<int, bool> chosen) => [.. Enumerable.Range(0, groups.Count).Where(chosen)];
    }
}
