using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Mixes a row with one other row: numbers are averaged, categories are taken from either with the same weights.</summary>
/// <remarks>
/// Zhang et al., "mixup", 2018 (arXiv:1710.09412), without labels. Each row draws its own share of itself, uniform from the smallest to 1.
/// Where one of two numbers is missing, so is the mixture.
/// </remarks>
public sealed class TableMixup : TableView
{
    /// <summary>A view.</summary>
    /// <param name="smallestShare">The least weight that a row keeps. From 0 to 1.</param>
    public TableMixup(double smallestShare = 0.7)
    {
        new OptionFaults().InRange(smallestShare, 0, 1).ThrowIfAny();
        SmallestShare = smallestShare;
    }

    /// <summary>The least weight that a row keeps.</summary>
    public double SmallestShare { get; }

    /// <inheritdoc/>
    public override TableBatch Apply(TableBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        long n = batch.Count, c = batch.Numbers.shape[1], k = batch.Codes.shape[1];
        var device = batch.Numbers.device;
        var own = Draws.Uniform([n, 1], device, generator).mul(Number(1 - SmallestShare)).add(Number(SmallestShare), One); // [N, 1]
        var rows = OtherRows(batch, 1, generator);                                                  // [N, 1]
        var missing = batch.Missing.logical_or(batch.Missing.gather(0, rows.expand(n, c)));         // [N, C]
        // [N, C]
        var numbers = (batch.Numbers * own).add(batch.Numbers.gather(0, rows.expand(n, c)) * (own.neg().add(Number(1), One)), One);
        var other = Draws.Uniform([n, k], device, generator).ge(own);                                   // [N, K]
        return new TableBatch(numbers.masked_fill(missing, Number(0)), missing,
            where(other, batch.Codes.gather(0, rows.expand(n, k)), batch.Codes)).MoveToOuterScope();
    }
}
