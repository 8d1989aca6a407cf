using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Makes each sound louder or softer: adds the same number to all of its values, which are logarithms. For spectrograms.</summary>
/// <remarks>Of a standardized spectrogram a unit is a band's deviation. For samples themselves take <see cref="Scaling"/>.</remarks>
public sealed class SpectrogramGain : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="maximum">The most that is added or taken away; drawn evenly from its negative to it. At least 0.</param>
    public SpectrogramGain(double maximum = 1)
    {
        new OptionFaults().NotNegative(maximum).ThrowIfAny();
        Maximum = maximum;
    }

    /// <summary>The most that is added or taken away.</summary>
    public double Maximum { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var gains = Draws.Uniform([batch.Count, 1, 1], batch.Values.device, generator).mul_(Number(2 * Maximum)).sub_(Number(Maximum));
        return MoveOut(batch.WithValues(batch.Values.add(gains * Observed(batch), One)));
    }
}
