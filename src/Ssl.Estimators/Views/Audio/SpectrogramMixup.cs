using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Mixes another sound of the batch into each, softly: a background that the encoder learns not to mind.</summary>
/// <remarks>
/// BYOL-A's mixup (Niizumi et al., 2021, arXiv:2103.06695, section III.B): logarithms are undone, (1 - a) of the one and a of the other added,
/// and the logarithm taken again. Deviation: the other sound is one of the batch, not of a queue. For spectrograms.
/// </remarks>
public sealed class SpectrogramMixup : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="maximumShare">The most of the other sound; drawn evenly from 0 to it. From 0 to less than 1.</param>
    public SpectrogramMixup(double maximumShare = 0.4)
    {
        new OptionFaults().InHalfOpenRange(maximumShare, 0, 1).ThrowIfAny();
        MaximumShare = maximumShare;
    }

    /// <summary>The most of the other sound.</summary>
    public double MaximumShare { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var device = batch.Values.device;
        var others = Draws.Permutation(batch.Count, device, generator);                             // [N]
        var share = Draws.Uniform([batch.Count, 1, 1], device, generator).mul_(Number(MaximumShare));   // [N, 1, 1]
        var silent = batch.Observed.index_select(0, others).logical_not().unsqueeze(1);
        var other = batch.Values.index_select(0, others).masked_fill(silent, Number(double.NegativeInfinity));
        var mixed = (batch.Values.add((-share).log1p(), One)).logaddexp(other.add(share.log(), One));
        return MoveOut(batch.WithValues(mixed.masked_fill(batch.Observed.logical_not().unsqueeze(1), Number(0))));
    }
}
