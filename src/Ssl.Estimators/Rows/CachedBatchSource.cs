using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>All rows in memory: a new random order every epoch. With labels, they are the last batch of a step.</summary>
internal sealed class CachedBatchSource : BatchSource
{
    private readonly RowStore _rows;
    private readonly IReadOnlyList<double>? _labels;
    private readonly int[]? _chosen;
    private readonly int[] _heldOut;
    private readonly long _leftOut;

    /// <param name="rows">All rows read.</param>
    /// <param name="labels">One for each row, or null.</param>
    /// <param name="leftOut">Rows that were read but cannot be used.</param>
    /// <param name="settings">How rows are cut into batches.</param>
    /// <param name="chosen">The numbers of the rows to use; null for all.</param>
    /// <param name="heldOut">The numbers of the rows kept out of training; null for none.</param>
    public CachedBatchSource(RowStore rows, IReadOnlyList<double>? labels, long leftOut, Settings settings, int[]? chosen = null,
        int[]? heldOut = null) : base(settings)
    {
        _rows = rows;
        _labels = labels;
        _leftOut = leftOut;
        _chosen = chosen;
        _heldOut = heldOut ?? [];
    }

    public override long? RowCount => Count;

    /// <summary>Rows that can be used.</summary>
    public int Count => _chosen?.Length ?? _rows.Count;

    /// <summary>Rows that were read but have nothing to learn from or no label.</summary>
    public long LeftOut => _leftOut;

    /// <summary>The labels of all rows read, whether chosen or not; empty without labels.</summary>
    public IReadOnlyList<double> Labels => _labels ?? [];

    /// <summary>The labels of the rows in use, in their order; empty without labels.</summary>
    public IReadOnlyList<double> ChosenLabels => _labels is null ? [] : [.. RowNumbers().Select(row => _labels[row])];

    public override string Describe()
        => $"{Number(Count)} rows, {_rows.Content} in memory"
            + (_leftOut > 0 ? $"; {Number(_leftOut)} rows without {Options.Format.Needed}{(_labels is null ? "" : " or label")} left out"
                : "")
            + (_heldOut.Length > 0 ? $"; {Number(_heldOut.Length)} further rows kept out for validation" : "");

    public override string Order => "in memory";

    public override long CountAllRows() => _rows.Count + _leftOut;

    /// <summary>Some of the rows.</summary>
    /// <param name="chosen">Their numbers among all rows read.</param>
    public CachedBatchSource Only(int[] chosen) => new(_rows, _labels, _leftOut, Options, chosen) { Truncation = Truncation };

    /// <summary>The rows in use and further ones, with labels that the data do not have.</summary>
    /// <param name="labeled">Numbers of rows among all rows read, and their labels.</param>
    public CachedBatchSource With(IReadOnlyCollection<(int Row, float Label)> labeled)
    {
        double[] labels = [.. Labels];
        foreach (var (row, label) in labeled)
            labels[row] = label;
        return new(_rows, labels, _leftOut, Options, [.. RowNumbers(), .. labeled.Select(item => item.Row)]) { Truncation = Truncation };
    }

    /// <summary>All rows in their order, drawing nothing at random.</summary>
    public IEnumerable<IReadOnlyList<Batch>> InOrder()
    {
        var order = RowNumbers();
        foreach (var batch in Bounded(_rows, BatchOrder.Cut(order, Options.BatchSize, dropLast: false, null, Options.Shuffle)))
            yield return WithLabels(batch);
    }

    private protected override IEnumerable<IReadOnlyList<Batch>> HeldOutBatches(CancellationToken cancellationToken)
        => Bounded(_rows, BatchOrder.Even(_heldOut, Options.BatchSize)).Select(batch => _rows.ToBatches(batch));

    private protected override IEnumerable<IReadOnlyList<Batch>> SampleBatches(int most)
        => Bounded(_rows, BatchOrder.Spread(RowNumbers(), Options.BatchSize, most)).Select(batch => _rows.ToBatches(batch));

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        var order = RowNumbers();
        Options.Shuffle.Shuffle(order);
        foreach (var batch in Cut(_rows, order, DropLast))
            yield return WithLabels(batch);
    }

    private int[] RowNumbers() => _chosen is null ? [.. Enumerable.Range(0, Count)] : [.. _chosen];

    private IReadOnlyList<Batch> WithLabels(ArraySegment<int> rows)
    {
        var batches = _rows.ToBatches(rows);
        return _labels is null ? batches : [.. batches, new LabelBatch(tensor(rows.Select(row => _labels[row]).ToArray()))];
    }
}
