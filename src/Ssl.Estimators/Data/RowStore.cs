using Ssl.Estimators.Encoders;

namespace Ssl.Estimators.Data;

/// <summary>The rows of one training column (texts, the cells of a table, series, pixels), held compactly on the host.</summary>
internal abstract class RowStore
{
    /// <summary>Rows held.</summary>
    public abstract int Count { get; }

    /// <summary>Bytes that the content takes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Whether no further row is sure to fit.</summary>
    public abstract bool IsFull { get; }

    /// <summary>How much there is in all, for the log: "12,345 tokens".</summary>
    public abstract string Content { get; }

    /// <summary>Length of a row, to put rows of similar length into one batch; 1 where all have the same.</summary>
    public virtual int Length(int row) => 1;

    /// <summary>Drops all rows but these, which come to stand in this order.</summary>
    public abstract void KeepOnly(ReadOnlySpan<int> rows);

    /// <summary>A batch of these rows, in this order, on the CPU.</summary>
    public abstract Batch ToBatch(ReadOnlySpan<int> rows);
}
