using System.Globalization;
using Microsoft.ML;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Training;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>
/// Batches of the rows of a data view. Rows that the format cannot use are left out. The rows are read once and kept in
/// a <see cref="RowStore"/>; if they outgrow the limit they are read anew every epoch, through a shuffle buffer.
/// </summary>
internal abstract class BatchSource : IBatchSource, IDisposable
{
    private const int BatchesAhead = 2;

    private protected BatchSource(Settings settings) => Options = settings;

    /// <summary>How rows are read and cut into batches.</summary>
    internal sealed class Settings
    {
        public required RowFormat Format { get; init; }
        public required int BatchSize { get; init; }
        public required int MinimumBatchRows { get; init; }
        public required bool GroupByLength { get; init; }
        public required long CacheLimit { get; init; }
        public required int ShuffleBufferSize { get; init; }
        public required Random Shuffle { get; init; }
        public required CancellationToken CancellationToken { get; init; }

        /// <summary>The column to learn to predict; null for pretraining. With one, all rows are held in memory.</summary>
        public LabelColumn? Label { get; init; }

        /// <summary>Whether rows without a label are kept, with NaN for it.</summary>
        public bool KeepsUnlabeled { get; init; }

        /// <summary>Told what of the rows differs from what the format was learned of, as they are read the first time; null for nobody.</summary>
        public RowNotices? Notices { get; init; }

        /// <summary>Which rows are kept out of training; null for none.</summary>
        public RowSplit? Split { get; init; }

        /// <summary>Which share of the rows is this process's; null for all.</summary>
        public RowShard? Shard { get; init; }
    }

    /// <summary>Rows to train on.</summary>
    public abstract long? RowCount { get; }

    /// <summary>
    /// Whether the caller canceled while rows were read: there are those that were read until then, and nothing is to be trained on them.
    /// </summary>
    public bool IsPartial { get; private init; }

    /// <summary>What the rows that were read into memory lost because the encoder takes no more; of streamed ones the first.</summary>
    public TruncationCounts Truncation { get; private protected init; } = TruncationCounts.None;

    public long? BatchesPerEpoch => RowCount is { } rows ? BatchOrder.Count(rows, Options.BatchSize, DropLast) : null;

    private protected Settings Options { get; }

    // Where the batches are wanted; null for the host.
    private protected Device? Target { get; set; }

    // A contrastive step on a few left-over rows would have few negatives and a gradient of its own.
    private protected bool DropLast => Options.MinimumBatchRows > 1;

    /// <summary>One line for the log: rows, what is in them, and where they are kept.</summary>
    public abstract string Describe();

    /// <summary>In which order rows are read, for the identity of a run: the same rows in another order give other weights.</summary>
    public abstract string Order { get; }

    /// <summary>All rows of the data, those that cannot be used among them.</summary>
    public abstract long CountAllRows();

    /// <summary>Brings the batches to a device from now on: rows in memory are kept there, where they fit.</summary>
    /// <param name="device">Where they are wanted.</param>
    /// <param name="keepsRows">Whether rows are kept there; null for where that saves time: on a GPU, up to <see cref="DeviceRows.MostBytes"/>.</param>
    public virtual void PlaceOn(Device device, bool? keepsRows = null) => Target = device;

    /// <summary>Frees the device's memory; nothing is read afterwards.</summary>
    public virtual void Dispose()
    {
    }

    public IEnumerable<IReadOnlyList<Batch>> Epoch(int epoch, CancellationToken cancellationToken)
        => Prefetch.Run(Moved(Batches(cancellationToken)), BatchesAhead, Discard, cancellationToken);

    /// <summary>The rows kept out of training, always in the same order and the same batches. Nothing is drawn at random.</summary>
    /// <exception cref="InvalidOperationException">There are too few of them (streamed rows only; others are counted at once).</exception>
    public IEnumerable<IReadOnlyList<Batch>> HeldOut(CancellationToken cancellationToken)
        => Prefetch.Run(Moved(HeldOutBatches(cancellationToken)), BatchesAhead, Discard, cancellationToken);

    /// <summary>A part of the rows to train on, evenly over the data, in mixed batches. Nothing is drawn at random.</summary>
    /// <param name="most">Batches at most.</param>
    public IEnumerable<IReadOnlyList<Batch>> Sample(int most)
        => Prefetch.Run(Moved(SampleBatches(most)), BatchesAhead, Discard, CancellationToken.None);

    private protected abstract IEnumerable<IReadOnlyList<Batch>> SampleBatches(int most);

    private protected abstract IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken);

    private protected abstract IEnumerable<IReadOnlyList<Batch>> HeldOutBatches(CancellationToken cancellationToken);

    /// <summary>Reads the rows into memory if they fit, else prepares to stream them.</summary>
    /// <returns>Of a canceled reading the rows read until then; see <see cref="IsPartial"/>.</returns>
    public static BatchSource Create(IDataView data, Settings settings)
    {
        var rows = settings.Format.NewStore();
        rows.Notices = settings.Notices;
        var draws = new List<double>();
        long read = 0;
        try
        {
            foreach (var kept in ReadRows(data, settings, rows, null, settings.CancellationToken))
            {
                if (kept && settings.Split is { } split)
                    draws.Add(split.Draw(settings.Shard?.RowAt(read) ?? read));
                read++;
                if (kept && (rows.Bytes > settings.CacheLimit || rows.IsFull))
                    return new StreamedBatchSource(data, settings) { Truncation = rows.TakeTruncation() };
            }
        }
        catch (OperationCanceledException) when (settings.CancellationToken.IsCancellationRequested)
        {
            return new CachedBatchSource(rows, null, read - rows.Count, settings) { IsPartial = true, Truncation = rows.TakeTruncation() };
        }
        var left = read - rows.Count;
        // Where there is hardly a row at all, the trainer has a sentence about that.
        if (settings.Split is null || rows.Count < settings.MinimumBatchRows)
            return new CachedBatchSource(rows, null, left, settings) { Truncation = rows.TakeTruncation() };
        var (training, heldOut) = settings.Split.Divide(draws);
        settings.Split.Require(training.Length, heldOut.Length, settings.MinimumBatchRows);
        return new CachedBatchSource(rows, null, left, settings, training, heldOut) { Truncation = rows.TakeTruncation() };
    }

    /// <summary>Reads rows and labels into memory; rows without a label are left out, unless the settings keep them.</summary>
    /// <returns>Of a canceled reading the rows read until then; see <see cref="IsPartial"/>.</returns>
    /// <exception cref="InvalidOperationException">They do not fit one array.</exception>
    public static CachedBatchSource CreateLabeled(IDataView data, Settings settings)
    {
        var (rows, labels) = (settings.Format.NewStore(), new List<double>());
        rows.Notices = settings.Notices;
        long left = 0;
        try
        {
            foreach (var kept in ReadRows(data, settings, rows, labels, settings.CancellationToken))
            {
                if (!kept)
                    left++;
                if (rows.IsFull)
                    throw new InvalidOperationException($"The labeled rows have more content ({rows.Content}) than one array holds "
                        + $"({Number(Array.MaxLength)} items). Give Fit fewer rows.");
            }
        }
        catch (OperationCanceledException) when (settings.CancellationToken.IsCancellationRequested)
        {
            return new CachedBatchSource(rows, labels, left, settings) { IsPartial = true, Truncation = rows.TakeTruncation() };
        }
        return new CachedBatchSource(rows, labels, left, settings) { Truncation = rows.TakeTruncation() };
    }

    /// <summary>Reads row by row into <paramref name="target"/>; yields whether the row was kept.</summary>
    /// <remarks>
    /// Rows whose number <paramref name="takes"/> refuses are passed over: nothing of them is read, nothing yielded.
    /// Labels, where asked for, go to <paramref name="labels"/>; a row whose label is not finite is not kept, unless it is missing (NaN)
    /// and the settings keep such rows.
    /// </remarks>
    private protected static IEnumerable<bool> ReadRows(IDataView data, Settings settings, RowStore target, List<double>? labels,
        CancellationToken cancellationToken, Func<long, bool>? takes = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var needed = settings.Format.ActiveColumns(data.Schema);
        var label = labels is null ? null : settings.Label;
        if (label is not null)
            needed = needed.Append(data.Schema[label.Name]);
        using var cursor = data.GetRowCursor(needed.DistinctBy(c => c.Index));
        var getLabel = label?.CreateGetter(cursor, data.Schema[label.Name]);
        var (read, buffer) = (settings.Format.Open(cursor), new RowBuffer());
        double value = 0;
        for (long row = 0; cursor.MoveNext(); row++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (settings.Shard?.Has(row) == false || takes is not null && !takes(row))
                continue;
            getLabel?.Invoke(ref value);
            var kept = (double.IsFinite(value) || settings.KeepsUnlabeled && double.IsNaN(value)) && target.Add(read(buffer), keepsEmpty: false);
            if (kept)
                labels?.Add(value);
            yield return kept;
        }
    }

    /// <summary>The batches of these rows, in this order.</summary>
    private protected IEnumerable<ArraySegment<int>> Cut(RowStore rows, int[] order, bool dropLast)
    {
        var limit = rows.PaddedLimit(Options.BatchSize);
        var batches = BatchOrder.Cut(order, Options.BatchSize, dropLast, Options.GroupByLength || limit is not null ? rows.Length : null,
            Options.Shuffle);
        return limit is null ? batches : batches.SelectMany(batch => Bounded(rows, batch, limit.Value));
    }

    /// <summary>The batches of rows that stay in this order and whose statistics or losses are taken: none of them padded without bound.</summary>
    private protected IEnumerable<ArraySegment<int>> Bounded(RowStore rows, IEnumerable<ArraySegment<int>> batches)
        => rows.PaddedLimit(Options.BatchSize) is { } limit ? batches.SelectMany(batch => Bounded(rows, batch, limit)) : batches;

    private IEnumerable<ArraySegment<int>> Bounded(RowStore rows, ArraySegment<int> batch, long limit)
        => BatchOrder.Bounded(batch, rows.Length, limit, Options.MinimumBatchRows);

    private protected static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    // On the thread that prepares batches: the one that trains finds them on the device.
    private IEnumerable<IReadOnlyList<Batch>> Moved(IEnumerable<IReadOnlyList<Batch>> batches)
        => Target is { } device ? batches.Select(columns => Move(columns, device)) : batches;

    private static Batch[] Move(IReadOnlyList<Batch> columns, Device device)
    {
        var moved = new Batch[columns.Count];
        for (var i = 0; i < moved.Length; i++)
        {
            moved[i] = columns[i].To(device);
            if (!ReferenceEquals(moved[i], columns[i]))
                columns[i].Dispose();
        }
        return moved;
    }

    private static void Discard(IReadOnlyList<Batch> batches)
    {
        foreach (var batch in batches)
            batch.Dispose();
    }
}

/// <summary>
/// Rows beyond the cache limit: read every epoch. Half of the shuffle buffer is used at a time and half stays,
/// so that a row can wait for several rounds: neighbors in the file end up apart.
/// </summary>
internal sealed class StreamedBatchSource : BatchSource
{
    private readonly IDataView _data;
    private long? _rowCount;

    public StreamedBatchSource(IDataView data, Settings settings) : base(settings) => _data = data;

    /// <summary>Known after the first epoch.</summary>
    public override long? RowCount => _rowCount;

    public override string Describe()
        => $"the rows outgrow CacheLimit ({Number(Options.CacheLimit)} bytes): they are streamed every epoch, "
        + $"shuffled within {Number(Options.ShuffleBufferSize)} rows"
        + (Options.Split is { } split ? FormattableString.Invariant($"; {split.Fraction:P0} of them kept out for validation") : "");

    public override string Order => FormattableString.Invariant($"streamed, shuffled within {Options.ShuffleBufferSize} rows");

    public override long CountAllRows() => RowReader.Count(_data, Options.CancellationToken);

    // Read anew each time, like the others. A batch is cut off when two are there, so that the last two can share what is left.
    private protected override IEnumerable<IReadOnlyList<Batch>> HeldOutBatches(CancellationToken cancellationToken)
    {
        if (Options.Split is not { } split)
            yield break;
        var buffer = Options.Format.NewStore();
        long count = 0;
        foreach (var kept in ReadRows(_data, Options, buffer, null, cancellationToken, split.IsHeldOut))
        {
            if (!kept)
                continue;
            count++;
            if (buffer.Count < 2L * Options.BatchSize)
                continue;
            int[] both = [.. Enumerable.Range(0, buffer.Count)];
            foreach (var batch in Bounded(buffer, [new ArraySegment<int>(both, 0, Options.BatchSize)]))
                yield return buffer.ToBatches(batch);
            buffer.KeepOnly(both.AsSpan(Options.BatchSize));
        }
        // In an epoch that the clock cut off, the rows to train on were not counted; there were enough for a step.
        split.Require(_rowCount ?? long.MaxValue, count, Options.MinimumBatchRows);
        foreach (var batch in Bounded(buffer, BatchOrder.Even([.. Enumerable.Range(0, buffer.Count)], Options.BatchSize)))
            yield return buffer.ToBatches(batch);
    }

    // In memory at once, so no more than the shuffle buffer holds. What is passed over is not read.
    private protected override IEnumerable<IReadOnlyList<Batch>> SampleBatches(int most)
    {
        var buffer = Options.Format.NewStore();
        var wanted = Math.Min((long)most * Options.BatchSize, Math.Max(Options.ShuffleBufferSize, Options.BatchSize));
        var stride = Math.Max(1, (_rowCount ?? _data.GetRowCount() ?? 0) / wanted);
        foreach (var _ in ReadRows(_data, Options, buffer, null, CancellationToken.None,
            row => row % stride == 0 && Options.Split?.IsHeldOut(row) is not true))
        {
            if (buffer.Count == wanted)
                break;
        }
        foreach (var batch in Bounded(buffer, BatchOrder.Spread([.. Enumerable.Range(0, buffer.Count)], Options.BatchSize, most)))
            yield return buffer.ToBatches(batch);
    }

    private protected override IEnumerable<IReadOnlyList<Batch>> Batches(CancellationToken cancellationToken)
    {
        var capacity = Math.Max(Options.ShuffleBufferSize, 2L * Options.BatchSize);
        var buffer = Options.Format.NewStore();
        long count = 0;
        Func<long, bool>? takes = Options.Split is { } split ? row => !split.IsHeldOut(row) : null;
        foreach (var kept in ReadRows(_data, Options, buffer, null, cancellationToken, takes))
        {
            if (!kept)
                continue;
            count++;
            if (buffer.Count < capacity)
                continue;
            var order = BatchOrder.Shuffled(buffer.Count, Options.Shuffle);
            // Whole batches only: the rest waits in the half that stays.
            var used = (int)(capacity / 2 / Options.BatchSize * Options.BatchSize);
            foreach (var batch in Cut(buffer, order[..used], dropLast: false))
                yield return buffer.ToBatches(batch);
            buffer.KeepOnly(order.AsSpan(used));
        }
        foreach (var batch in Cut(buffer, BatchOrder.Shuffled(buffer.Count, Options.Shuffle), DropLast))
            yield return buffer.ToBatches(batch);
        _rowCount = count;
    }
}
