using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Keeps a random subset of the columns of each row and hides the others.</summary>
public sealed class FeatureSubset : TableView
{
    /// <summary>A view.</summary>
    /// <param name="share">Share of the cells that stay, the same number in every row. Greater than 0, at most 1.</param>
    public FeatureSubset(double share = 0.5)
    {
        new OptionFaults().Require(share > 0 && share <= 1, nameof(share), "must be greater than 0 and at most 1", share).ThrowIfAny();
        Share = share;
    }

    /// <summary>Share of the cells that stay.</summary>
    public double Share { get; }

    /// <inheritdoc/>
    public override TableBatch Apply(TableBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        long c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
        long kept = Math.Max(1, (long)Math.Round(Share * (c + k)));
        // The place of every cell in a random order of its row.
        var places = Draws.Uniform([batch.Count, c + k], batch.Numbers.device, generator).argsort(1).argsort(1);
        var hidden = places.ge(Number(kept));                                                       // [N, C + K]
        return batch.Hide(hidden.narrow(1, 0, c), hidden.narrow(1, c, k)).MoveToOuterScope();
    }
}
