using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Masking;

/// <summary>Chooses cells of table rows to predict and hides them: a hidden cell looks like a missing one.</summary>
/// <remarks>
/// Every cell is drawn on its own; a cell that is missing anyway is hidden but never a target. A row of which every known cell would be
/// hidden keeps the one with the highest draw, and one that would have no target gives the one with the lowest, unless it has a single
/// known cell.
/// </remarks>
public sealed class CellMasker
{
    /// <summary>A masker.</summary>
    /// <param name="maskRatio">Share of the cells that are hidden. Between 0 and 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is outside its range.</exception>
    public CellMasker(double maskRatio = 0.3)
    {
        new OptionFaults().Between(maskRatio, 0, 1).ThrowIfAny();
        MaskRatio = maskRatio;
    }

    /// <summary>Share of the cells that are hidden.</summary>
    public double MaskRatio { get; }

    /// <summary>Draws anew which cells are hidden.</summary>
    /// <param name="batch">N rows of C numbers and K categories; not changed and not disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    public HiddenCells Apply(TableBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(generator);
        using var scope = NewDisposeScope();
        long c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
        var known = cat([batch.Missing, batch.MissingCodes], 1).logical_not();                      // [N, C + K]
        var draw = Draws.Uniform([batch.Count, c + k], batch.Numbers.device, generator);                // [N, C + K]
        var lowest = draw.masked_fill(known.logical_not(), Number(2)).amin([1], keepdim: true);     // [N, 1]
        var highest = draw.masked_fill(known.logical_not(), Number(-1)).amax([1], keepdim: true);   // [N, 1]
        var hidden = draw.lt(Number(MaskRatio)).logical_or(draw.eq(lowest)).logical_and(draw.ne(highest));
        var chosen = hidden.logical_and(known);                                                     // [N, C + K]
        Tensor numbers = chosen.narrow(1, 0, c).contiguous(), codes = chosen.narrow(1, c, k).contiguous();
        return new HiddenCells(batch.Hide(numbers, codes).MoveToOuterScope(), numbers.MoveToOuterDisposeScope(),
            codes.MoveToOuterDisposeScope());
    }
}

/// <summary>Table rows with hidden cells, and which of them are to be predicted.</summary>
/// <param name="Batch">The rows as the encoder shall see them.</param>
/// <param name="Numbers">The hidden numbers, bool [N, C].</param>
/// <param name="Codes">The hidden categories, bool [N, K].</param>
public sealed record HiddenCells(TableBatch Batch, Tensor Numbers, Tensor Codes);
