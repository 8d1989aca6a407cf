using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using TorchSharp;

namespace Ssl.Estimators;

/// <summary>Replaces cells of a row by those of one other row, so that the new cells fit each other.</summary>
/// <remarks>
/// SAINT's CutMix (Somepalli et al., 2021, arXiv:2106.01342). <see cref="MarginalSwap"/> takes every cell from another row.
/// </remarks>
public sealed class TableCutMix : TableView
{
    /// <summary>A view.</summary>
    /// <param name="rate">Share of the cells that are replaced. From 0 to 1.</param>
    public TableCutMix(double rate = 0.3)
    {
        new OptionFaults().InRange(rate, 0, 1).ThrowIfAny();
        Rate = rate;
    }

    /// <summary>Share of the cells that are replaced.</summary>
    public double Rate { get; }

    /// <inheritdoc/>
    public override TableBatch Apply(TableBatch batch, torch.Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = torch.NewDisposeScope();
        var chosen = Draw(batch, batch.Numbers.shape[1] + batch.Codes.shape[1], Rate, generator);
        return Take(batch, chosen, OtherRows(batch, 1, generator)).MoveToOuterScope();
    }
}
