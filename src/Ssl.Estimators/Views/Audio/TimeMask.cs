using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Sets a random stretch of time of each sound to 0, which is the mean of a standardized channel.</summary>
/// <remarks>SpecAugment's time mask (Park et al., 2019, arXiv:1904.08779): the width is drawn evenly from 0, then the place.</remarks>
public sealed class TimeMask : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="maximumShare">The longest stretch, as a part of the sound's own length. From 0 to 1.</param>
    /// <param name="count">Stretches of a sound, each with draws of its own; they may overlap. At least 1.</param>
    public TimeMask(double maximumShare = 0.2, int count = 1)
    {
        new OptionFaults().InRange(maximumShare, 0, 1).AtLeast(count, 1).ThrowIfAny();
        (MaximumShare, Count) = (maximumShare, count);
    }

    /// <summary>The longest stretch, as a part of the sound.</summary>
    public double MaximumShare { get; }

    /// <summary>Stretches of a sound.</summary>
    public int Count { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var lengths = batch.Mask.sum(1, keepdim: true).to(ScalarType.Float32);                          // [N, 1]
        var hidden = Stretches.Draw(lengths, batch.Length, MaximumShare, Count, generator);             // [N, T]
        return MoveOut(batch.WithValues(batch.Values.masked_fill(hidden.unsqueeze(1), Number(0))));
    }
}
