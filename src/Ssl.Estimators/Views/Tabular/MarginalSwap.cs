using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using TorchSharp;

namespace Ssl.Estimators;

/// <summary>Replaces cells by the same column's cells of other rows: draws from each column's marginal distribution.</summary>
/// <remarks>
/// SCARF's corruption (Bahri et al., 2022, arXiv:2106.15147), VIME's and the denoising autoencoder's swap noise. The batch stands for the
/// column: every cell draws its own row of it.
/// </remarks>
public sealed class MarginalSwap : TableView
{
    /// <summary>A view.</summary>
    /// <param name="rate">Share of the cells that are replaced. From 0 to 1.</param>
    public MarginalSwap(double rate = 0.6)
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
        long cells = batch.Numbers.shape[1] + batch.Codes.shape[1];
        return Take(batch, Draw(batch, cells, Rate, generator), OtherRows(batch, cells, generator)).MoveToOuterScope();
    }
}
