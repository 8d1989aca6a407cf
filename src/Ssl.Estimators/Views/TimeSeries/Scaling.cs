using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Multiplies each channel of each series by a factor of its own.</summary>
public sealed class Scaling : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="deviation">Standard deviation of the factors, which are normal around <paramref name="mean"/>. At least 0.</param>
    /// <param name="mean">Mean of the factors. A finite number.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Scaling(double deviation = 0.2, double mean = 1)
    {
        new OptionFaults().NotNegative(deviation).Require(double.IsFinite(mean), nameof(mean), "must be a finite number", mean).ThrowIfAny();
        (Deviation, Mean) = (deviation, mean);
    }

    /// <summary>Standard deviation of the factors.</summary>
    public double Deviation { get; }

    /// <summary>Mean of the factors.</summary>
    public double Mean { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var factors = Draws.Normal([batch.Count, batch.Values.shape[1], 1], batch.Values.device, generator)
            .mul_(Number(Deviation)).add_(Number(Mean), One);                                            // [N, C, 1]
        return MoveOut(batch.WithValues(batch.Values * factors));
    }
}
