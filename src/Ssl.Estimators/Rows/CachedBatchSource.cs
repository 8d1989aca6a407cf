using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>All rows in memory: a new random order every epoch. With labels, they are the last batch of a step.</summary>
internal sealed class CachedBatchSource : BatchSource, IArrangedSource
{
    private readonly RowStore _rows;
    private readonly IReadOnlyList<double>? _labels;
    private readonly int[]? _chosen;
    private readonly int[] _heldOut;
    private readonly long _leftOut;

    // Shared with the sources made of this one, which do not free it.
    private DeviceRows? _onDevice;
    private bool _ownsRows;

    // Of the next epoch; null for one of chance.
    private int[]? _arranged;

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
    public CachedBatchSource Only(int[] chosen) => Part(_labels, chosen);

    /// <summary>The rows in use and further ones, with labels that the data do not have.</summary>
    /// <param name="labeled">Numbers of rows among all rows read, and their labels.</param>
    public CachedBatchSource With(IReadOnlyCollection<(int Row, float Label)> labeled)
    {
        double[] labels = [.. Labels];
        foreach (var (row, label) in labeled)
            labels[row] = label;
        return Part(labels, [.. RowNumbers(), .. labeled.Select(item => item.Row)]);
    }

    public override void PlaceOn(Device device, bool? keepsRows = null)
    {
        base.PlaceOn(device, keepsRows);
        if (keepsRows ?? device.type != DeviceType.CPU && _rows.Bytes <= DeviceRows.MostBytes)
        {
            _onDevice = _rows.OnDevice(device);
            _ownsRows = true;
        }
    }

    public override void Dispose()
    {
        if (_ownsRows)
            _onDevice?.Dispose();
        _onDevice = null;
    }

    /// <summary>All rows in their order, drawing nothing at random.</summary>
    public IEnumerable<IReadOnlyList<Batch>> InOrder()
    {
        var order = RowNumbers();
        return ToBatches(Bounded(_rows, BatchOrder.Cut(order, Options.BatchSize, dropLast: false, null, Options.Shuffle)), _labels);
    }

    public void Arrange(Func<Random, int[]> order)
    {
        var numbers = RowNumbers();
        _arranged = [.. order(Options.Shuffle).Select(place => numbers[place])];
    }

    private protected override IEnumerable<IReadOnlyList<Batch>> HeldOutBatches(CancellationToken cancellationToken)
        => ToBatches(Bounded(_rows, BatchOrder.Even(_heldOut, Options.BatchSize)), null);

    private protected override IEnumerable<IReadOnlyList<Batch>> SampleBatches(int most)
        => ToBatches(Bounded(_rows, BatchOrder.Spread(RowNumbers(), Options.BatchSize, most)), null);

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        if (_arranged is { } arranged)
        {
            // Not by length: neighbors stay beside each other.
            _arranged = null;
            return ToBatches(Bounded(_rows, BatchOrder.Cut(arranged, Options.BatchSize, DropLast, null, Options.Shuffle)), _labels);
        }
        var order = RowNumbers();
        Options.Shuffle.Shuffle(order);
        return ToBatches(Cut(_rows, order, DropLast), _labels);
    }

    // On the same device.
    private CachedBatchSource Part(IReadOnlyList<double>? labels, int[] chosen)
        => new(_rows, labels, _leftOut, Options, chosen) { Truncation = Truncation, Target = Target, _onDevice = _onDevice };

    private int[] RowNumbers() => _chosen is null ? [.. Enumerable.Range(0, Count)] : [.. _chosen];

    // With their labels, where they are wanted, as the last batch of a step.
    private IEnumerable<IReadOnlyList<Batch>> ToBatches(IEnumerable<ArraySegment<int>> batches, IReadOnlyList<double>? labels)
    {
        if (_onDevice is { } rows)
            return Gathered(rows, [.. batches], labels);
        return batches.Select(batch => WithLabels(_rows.ToBatches(batch),
            labels is null ? null : tensor(batch.Select(row => labels[row]).ToArray())));
    }

    // The numbers of all rows go to the device at once: copying them batch by batch would wait for it each time.
    private static IEnumerable<IReadOnlyList<Batch>> Gathered(DeviceRows rows, ArraySegment<int>[] batches, IReadOnlyList<double>? labels)
    {
        // Between two epochs the device waits for this.
        var order = new long[batches.Sum(batch => batch.Count)];
        int end = 0;
        foreach (var batch in batches)
        {
            foreach (int row in batch.AsSpan())
                order[end++] = row;
        }
        using Tensor numbers = DeviceRows.Upload<long>(order, ScalarType.Int64, rows.Device, order.Length);
        using Tensor? values = labels is null ? null
            : DeviceRows.Upload<double>(order.Select(row => labels[(int)row]).ToArray(), ScalarType.Float64, rows.Device, order.Length);
        long start = 0;
        foreach (var batch in batches)
        {
            using Tensor part = numbers.narrow(0, start, batch.Count);
            yield return WithLabels(rows.ToBatches(part, batch), values?.narrow(0, start, batch.Count));
            start += batch.Count;
        }
    }

    private static IReadOnlyList<Batch> WithLabels(IReadOnlyList<Batch> batches, Tensor? labels)
        => labels is null ? batches : [.. batches, new LabelBatch(labels)];
}
