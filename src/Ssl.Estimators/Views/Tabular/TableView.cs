using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>A random change of table rows that keeps what they mean: what contrastive methods compare.</summary>
/// <remarks>
/// Write your own by deriving from it: work on the whole batch at once, on its device, with draws of their own for each row or cell
/// from the generator.
/// </remarks>
public abstract class TableView
{
    /// <summary>A changed copy of a batch.</summary>
    /// <param name="batch">N rows; must not be changed or disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>N rows; the caller's.</returns>
    public abstract TableBatch Apply(TableBatch batch, Generator generator);

    /// <summary>Which cells a share hits, each drawn on its own: bool [N, <paramref name="cells"/>].</summary>
    /// <param name="batch">N rows.</param>
    /// <param name="cells">Cells a row.</param>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="generator">On the batch's device.</param>
    protected static Tensor Draw(TableBatch batch, long cells, double share, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        return Draws.Uniform([batch.Count, cells], batch.Numbers.device, generator).lt(Number(share)).MoveToOuterDisposeScope();
    }

    /// <summary>Chosen cells from other rows of the batch, all others from their own.</summary>
    /// <param name="batch">N rows of C numbers and K categories.</param>
    /// <param name="chosen">Bool [N, C + K]: which cells are taken from elsewhere.</param>
    /// <param name="rows">int64 [N, C + K], or [N, 1] where all cells of a row have one source: the rows that they are taken from.</param>
    /// <returns>N rows; the caller's.</returns>
    protected static TableBatch Take(TableBatch batch, Tensor chosen, Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(chosen);
        ArgumentNullException.ThrowIfNull(rows);
        using var scope = NewDisposeScope();
        long c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
        rows = rows.expand(batch.Count, c + k);
        // Without cells of a kind there is nothing to take; what a call for it would cost is felt on a GPU.
        if (c == 0)
            return new TableBatch(batch.Numbers.alias(), batch.Missing.alias(), Mixed(batch.Codes, chosen, rows)).MoveToOuterScope();
        if (k == 0)
            return new TableBatch(Mixed(batch.Numbers, chosen, rows), Mixed(batch.Missing, chosen, rows), batch.Codes.alias()).MoveToOuterScope();
        Tensor chosenNumbers = chosen.narrow(1, 0, c), sources = rows.narrow(1, 0, c);                  // [N, C]
        return new TableBatch(Mixed(batch.Numbers, chosenNumbers, sources), Mixed(batch.Missing, chosenNumbers, sources),
            Mixed(batch.Codes, chosen.narrow(1, c, k), rows.narrow(1, c, k))).MoveToOuterScope();

        static Tensor Mixed(Tensor cells, Tensor chosen, Tensor sources) => where(chosen, cells.gather(0, sources), cells);
    }

    /// <summary>A random row of the batch for every row or cell, int64 [N, <paramref name="cells"/>].</summary>
    /// <param name="batch">N rows.</param>
    /// <param name="cells">Draws a row.</param>
    /// <param name="generator">On the batch's device.</param>
    protected static Tensor OtherRows(TableBatch batch, long cells, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Draws.Rows(batch.Count, [batch.Count, cells], batch.Numbers.device, generator);
    }
}
