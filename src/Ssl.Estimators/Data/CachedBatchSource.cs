using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Data;

/// <summary>All rows in memory: a new random order every epoch. With labels, they are the last batch of a step.</summary>
internal sealed class CachedBatchSource : BatchSource
{
    private readonly RowStore[] _rows;
    private readonly IReadOnlyList<float>? _labels;
    private readonly int[]? _chosen;
    private readonly long _leftOut;

    /// <param name="rows">One store for each batch of a step.</param>
    /// <param name="labels">One for each row, or null.</param>
    /// <param name="leftOut">Rows that were read but cannot be used.</param>
    /// <param name="settings">How rows are cut into batches.</param>
    /// <param name="chosen">The numbers of the rows to use; null for all.</param>
    public CachedBatchSource(RowStore[] rows, IReadOnlyList<float>? labels, long leftOut, Settings settings, int[]? chosen = null)
        : base(settings)
    {
        _rows = rows;
        _labels = labels;
        _leftOut = leftOut;
        _chosen = chosen;
    }

    public override long? RowCount => Count;

    /// <summary>Rows that can be used.</summary>
    public int Count => _chosen?.Length ?? _rows[0].Count;

    /// <summary>Rows that were read but have nothing to learn from or no label.</summary>
    public long LeftOut => _leftOut;

    /// <summary>The labels of all rows read, whether chosen or not; empty without labels.</summary>
    public IReadOnlyList<float> Labels => _labels ?? [];

    public override string Describe()
        => $"{Number(Count)} rows, {string.Join(" and ", _rows.Select(r => r.Content))} in memory"
            + (_leftOut > 0 ? $"; {Number(_leftOut)} rows without {Options.Format.Needed}{(_labels is null ? "" : " or label")} left out" : "");

    /// <summary>The same rows in two sources: the chosen ones, and all others.</summary>
    public (CachedBatchSource Chosen, CachedBatchSource Others) Split(IReadOnlySet<int> chosen)
    {
        var all = Enumerable.Range(0, _rows[0].Count);
        return (Only([.. all.Where(chosen.Contains)]), Only([.. all.Where(row => !chosen.Contains(row))]));
    }

    /// <summary>Some of the rows, with other labels where there are any.</summary>
    /// <param name="chosen">Numbers of the rows.</param>
    /// <param name="labels">One for each row read, whether chosen or not; null leaves them as they are.</param>
    public CachedBatchSource Only(int[] chosen, IReadOnlyList<float>? labels = null)
        => new(_rows, labels ?? _labels, _leftOut, Options, chosen);

    /// <summary>All rows in their order, drawing nothing at random.</summary>
    public IEnumerable<IReadOnlyList<Batch>> InOrder()
    {
        var order = Order();
        for (var i = 0; i < order.Length; i += Options.BatchSize)
            yield return WithLabels(new ArraySegment<int>(order, i, Math.Min(Options.BatchSize, order.Length - i)));
    }

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        var order = Order();
        Options.Shuffle.Shuffle(order);
        foreach (var batch in Cut(_rows, order, DropLast))
            yield return WithLabels(batch);
    }

    private int[] Order() => _chosen is null ? [.. Enumerable.Range(0, Count)] : [.. _chosen];

    private List<Batch> WithLabels(ArraySegment<int> rows)
    {
        var batches = ToBatches(_rows, rows);
        if (_labels is not null)
            batches.Add(new LabelBatch(tensor(rows.Select(row => _labels[row]).ToArray())));
        return batches;
    }
}
