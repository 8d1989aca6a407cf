using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Data;

/// <summary>All rows in memory: a new random order every epoch. With labels, they are the last batch of a step.</summary>
internal sealed class CachedTextBatchSource : TextBatchSource
{
    private readonly TokenRows[] _rows;
    private readonly List<float>? _labels;
    private readonly int[]? _chosen;
    private readonly long _leftOut;

    /// <param name="rows">Tokens, one for each column.</param>
    /// <param name="labels">One for each row, or null.</param>
    /// <param name="leftOut">Rows that were read but cannot be used.</param>
    /// <param name="settings">How rows are cut into batches.</param>
    /// <param name="chosen">The numbers of the rows to use; null for all.</param>
    public CachedTextBatchSource(TokenRows[] rows, List<float>? labels, long leftOut, Settings settings, int[]? chosen = null)
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

    /// <summary>Rows that were read but have no text or no label.</summary>
    public long LeftOut => _leftOut;

    /// <summary>The labels of all rows read, whether chosen or not; empty without labels.</summary>
    public IReadOnlyList<float> Labels => _labels ?? [];

    public override string Describe()
        => $"{Number(Count)} rows, {Number(_rows.Sum(r => r.TokenCount))} tokens in memory"
            + (_leftOut > 0 ? $"; {Number(_leftOut)} rows {(_labels is null ? "with empty text" : "without text or label")} left out" : "");

    /// <summary>The same rows in two sources: the chosen ones, and all others.</summary>
    public (CachedTextBatchSource Chosen, CachedTextBatchSource Others) Split(IReadOnlySet<int> chosen)
    {
        var all = Enumerable.Range(0, _rows[0].Count);
        return (new(_rows, _labels, _leftOut, Options, [.. all.Where(chosen.Contains)]),
            new(_rows, _labels, _leftOut, Options, [.. all.Where(row => !chosen.Contains(row))]));
    }

    /// <summary>All rows in their order, drawing nothing at random.</summary>
    public IEnumerable<IReadOnlyList<Batch>> InOrder()
    {
        var order = Order();
        for (var i = 0; i < order.Length; i += Options.BatchSize)
        {
            var batch = new ArraySegment<int>(order, i, Math.Min(Options.BatchSize, order.Length - i));
            yield return WithLabels(ToBatches(_rows, batch), batch);
        }
    }

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        var order = Order();
        Options.Shuffle.Shuffle(order);
        Func<int, int>? length = Options.GroupByLength ? _rows[0].Length : null;
        foreach (var batch in BatchOrder.Cut(order, Options.BatchSize, DropLast, length, Options.Shuffle))
            yield return WithLabels(ToBatches(_rows, batch), batch);
    }

    private int[] Order() => _chosen is null ? [.. Enumerable.Range(0, Count)] : [.. _chosen];

    private List<Batch> WithLabels(List<Batch> batches, ArraySegment<int> rows)
    {
        if (_labels is not null)
            batches.Add(new LabelBatch(tensor(rows.Select(row => _labels[row]).ToArray())));
        return batches;
    }
}
