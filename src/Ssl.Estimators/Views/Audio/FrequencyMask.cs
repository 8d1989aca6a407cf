using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Sets neighboring bands of each spectrogram to 0, which is the mean of a standardized band.</summary>
/// <remarks>SpecAugment's frequency mask (Park et al., 2019, arXiv:1904.08779): the width is drawn evenly from 0, then the place.</remarks>
public sealed class FrequencyMask : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="maximumShare">The most bands, as a part of all. From 0 to 1.</param>
    /// <param name="count">Groups of bands, each with draws of its own; they may overlap. At least 1.</param>
    public FrequencyMask(double maximumShare = 0.3, int count = 1)
    {
        new OptionFaults().InRange(maximumShare, 0, 1).AtLeast(count, 1).ThrowIfAny();
        (MaximumShare, Count) = (maximumShare, count);
    }

    /// <summary>The most bands, as a part of all.</summary>
    public double MaximumShare { get; }

    /// <summary>Groups of bands.</summary>
    public int Count { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var hidden = Stretches.DrawBands(batch, MaximumShare, Count, generator);                        // [N, C]
        return MoveOut(batch.WithValues(batch.Values.masked_fill(hidden.unsqueeze(2), Number(0))));
    }
}
