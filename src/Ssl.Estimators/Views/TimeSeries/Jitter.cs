using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Adds noise to every value.</summary>
public sealed class Jitter : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="deviation">Standard deviation of the noise, in standard deviations of the channel. At least 0.</param>
    public Jitter(double deviation = 0.1)
    {
        new OptionFaults().NotNegative(deviation).ThrowIfAny();
        Deviation = deviation;
    }

    /// <summary>Standard deviation of the noise.</summary>
    public double Deviation { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var noise = Draws.Normal(batch.Values.shape, batch.Values.device, generator).mul_(Number(Deviation));
        return MoveOut(batch.WithValues(batch.Values.add(noise * Observed(batch), One)));
    }
}
