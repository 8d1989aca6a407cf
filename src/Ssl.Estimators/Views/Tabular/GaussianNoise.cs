using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using TorchSharp;

namespace Ssl.Estimators;

/// <summary>Adds normal noise to the numbers; categories and missing numbers stay.</summary>
public sealed class GaussianNoise : TableView
{
    /// <summary>A view.</summary>
    /// <param name="deviation">Standard deviation of the noise, in scaled values (a column has about 1). At least 0.</param>
    /// <param name="rate">Share of the numbers that get noise. From 0 to 1.</param>
    public GaussianNoise(double deviation = 0.1, double rate = 1)
    {
        new OptionFaults().NotNegative(deviation).InRange(rate, 0, 1).ThrowIfAny();
        Deviation = deviation;
        Rate = rate;
    }

    /// <summary>Standard deviation of the noise.</summary>
    public double Deviation { get; }

    /// <summary>Share of the numbers that get noise.</summary>
    public double Rate { get; }

    /// <inheritdoc/>
    public override TableBatch Apply(TableBatch batch, torch.Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = torch.NewDisposeScope();
        var noise = Draws.Normal(batch.Numbers.shape, batch.Numbers.device, generator).mul_(Number(Deviation)); // [N, C]
        var kept = batch.Missing.logical_not();
        if (Rate < 1)
            kept = kept.logical_and(Draw(batch, batch.Numbers.shape[1], Rate, generator));
        return new TableBatch(batch.Numbers.add(noise * kept.to(noise.dtype), One), batch.Missing.alias(),
            batch.Codes.alias()).MoveToOuterScope();
    }
}
