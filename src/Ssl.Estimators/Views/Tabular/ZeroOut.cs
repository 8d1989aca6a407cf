using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using TorchSharp;

namespace Ssl.Estimators;

/// <summary>
/// Hides cells: the number becomes 0, the column's middle, and its indicator is set; a category becomes the missing entry.
/// </summary>
public sealed class ZeroOut : TableView
{
    /// <summary>A view.</summary>
    /// <param name="rate">Share of the cells that are hidden. From 0 to 1.</param>
    public ZeroOut(double rate = 0.3)
    {
        new OptionFaults().InRange(rate, 0, 1).ThrowIfAny();
        Rate = rate;
    }

    /// <summary>Share of the cells that are hidden.</summary>
    public double Rate { get; }

    /// <inheritdoc/>
    public override TableBatch Apply(TableBatch batch, torch.Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = torch.NewDisposeScope();
        long c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
        var hidden = Draw(batch, c + k, Rate, generator);
        return batch.Hide(hidden.narrow(1, 0, c), hidden.narrow(1, c, k)).MoveToOuterScope();
    }
}
