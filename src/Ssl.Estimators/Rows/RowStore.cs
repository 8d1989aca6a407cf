using System.Globalization;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators.Rows;

/// <summary>Rows of one format, held compactly on the host, and the batches that an encoder takes of them. Used by one thread at a
/// time.</summary>
public abstract class RowStore
{
    private const int RowsAtOnce = 256;

    private int[] _all = [];

    /// <summary>Told by <see cref="Add"/> of what differs from what the format was learned of; null where nobody listens.</summary>
    internal RowNotices? Notices { get; set; }

    /// <summary>Rows held.</summary>
    public abstract int Count { get; }

    /// <summary>Bytes that the content takes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Whether no further row is sure to fit.</summary>
    public virtual bool IsFull => false;

    /// <summary>How much there is in all, for the log: "12,345 tokens".</summary>
    public abstract string Content { get; }

    /// <summary>Length of a row, to put rows of similar length into one batch; 1 where all have the same.</summary>
    /// <param name="row">Its number.</param>
    public virtual int Length(int row) => 1;

    /// <summary>
    /// The most values, padding among them, that a training batch may have, where a few rows are so long that they would pad the others many
    /// times over; null where none is.
    /// </summary>
    /// <param name="batchSize">Rows of a batch.</param>
    internal virtual long? PaddedLimit(int batchSize) => null;

    /// <summary>Appends a row as it stands in the data.</summary>
    /// <param name="row">Its memory is not kept.</param>
    /// <param name="keepsEmpty">
    /// Whether a row with nothing to learn from is appended, too: so when it is scored, for every row has an embedding. Else it is left out.
    /// Nothing else may depend on it: training and scoring must store a row alike.
    /// </param>
    /// <returns>Whether it was appended.</returns>
    public abstract bool Add(RawRow row, bool keepsEmpty);

    /// <summary>Drops all rows but these, which come to stand in this order.</summary>
    /// <param name="rows">Their numbers.</param>
    public abstract void KeepOnly(ReadOnlySpan<int> rows);

    /// <summary>Drops all rows.</summary>
    public virtual void Clear() => KeepOnly([]);

    /// <summary>A batch of these rows, in this order, on the CPU.</summary>
    /// <param name="rows">Their numbers, at least one.</param>
    public abstract Batch ToBatch(ReadOnlySpan<int> rows);

    /// <summary>What rows lost, since it was last taken, because the encoder takes no more.</summary>
    internal virtual TruncationCounts TakeTruncation() => TruncationCounts.None;

    /// <summary>The batches of a training step, one for each column that the method trains on.</summary>
    internal virtual IReadOnlyList<Batch> ToBatches(ReadOnlySpan<int> rows) => [ToBatch(rows)];

    /// <summary>
    /// These rows in a device's memory, for a training that takes its batches from there; the store is not changed meanwhile.
    /// Null (the default) where a kind has no such form: its batches are then made on the host and copied.
    /// </summary>
    internal virtual DeviceRows? OnDevice(Device device) => null;

    /// <summary>Embeddings of all rows, Single [<see cref="Count"/>, D] on the device, in the current dispose scope.</summary>
    internal virtual Tensor Encode(Encoder network, Device device) => Encode(network, device, AllRows);

    /// <summary>The same for any number of rows: as many at once as are computed well together.</summary>
    internal virtual Tensor EncodeAll(Encoder network, Device device)
    {
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (var first = 0; first < Count; first += RowsAtOnce)
            parts.Add(Encode(network, device, AllRows.Slice(first, Math.Min(RowsAtOnce, Count - first))));
        return cat(parts).MoveToOuterDisposeScope();
    }

    /// <summary>The same for some rows, at the speed of all.</summary>
    internal virtual Tensor EncodeSome(Encoder network, Device device, int[] rows) => Encode(network, device, rows);

    /// <summary>The numbers of all rows.</summary>
    internal ReadOnlySpan<int> AllRows
    {
        get
        {
            if (_all.Length < Count)
                _all = [.. Enumerable.Range(0, Count)];
            return _all.AsSpan(0, Count);
        }
    }

    /// <summary>Throws where a batch would be larger than a tensor on the host can be filled, before anything is allocated.</summary>
    /// <param name="rows">Rows of the batch.</param>
    /// <param name="values">Values of a row, padding among them.</param>
    /// <param name="valueBytes">Bytes of a value.</param>
    /// <param name="row">What such a row is, for the sentence: "series of 5,000 timestamps".</param>
    /// <exception cref="InvalidOperationException">It would; the message says how many rows fit.</exception>
    internal static void RequireFits(int rows, long values, int valueBytes, string row)
    {
        var most = Array.MaxLength / valueBytes;
        if (rows * (Int128)values <= most)
            return;
        var fitting = most / values;
        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
            $"A batch of {rows:N0} rows, each a {row}, is too large: with padding a row has {values:N0} values, a batch at most {most:N0}. ")
            + (fitting > 0 ? string.Create(CultureInfo.InvariantCulture, $"Set BatchSize to {fitting:N0} or less.")
                : $"Not even one such row fits: give a shorter {row.Split(' ')[0]}."));
    }

    internal Tensor Encode(Encoder network, Device device, ReadOnlySpan<int> rows)
    {
        using var batch = ToBatch(rows);
        return network.call(batch.To(device)).to(ScalarType.Float32);
    }
}
