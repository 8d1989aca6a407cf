using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>
/// Stretches a random part of each spectrogram over all its bands and its whole length: other pitch, other speed. A part may be larger than
/// the whole, with nothing around it.
/// </summary>
/// <remarks>
/// BYOL-A's random resize crop (Niizumi et al., 2021, arXiv:2103.06695, section III.C), with a part of a series' own length, and linear in place
/// of bicubic interpolation.
/// </remarks>
public sealed class SpectrogramCrop : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="minimumShare">The smallest part of bands and of length. Greater than 0.</param>
    /// <param name="maximumShare">The largest part. At least <paramref name="minimumShare"/>.</param>
    public SpectrogramCrop(double minimumShare = 0.6, double maximumShare = 1.5)
    {
        new OptionFaults()
            .Positive(minimumShare)
            .Require(double.IsFinite(maximumShare) && maximumShare >= minimumShare, nameof(maximumShare), $"must be at least minimumShare, {minimumShare}", maximumShare)
            .ThrowIfAny();
        (MinimumShare, MaximumShare) = (minimumShare, maximumShare);
    }

    /// <summary>The smallest part of bands and of length.</summary>
    public double MinimumShare { get; }

    /// <summary>The largest part.</summary>
    public double MaximumShare { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var values = Stretched(batch.Values, Stretches.Bands(batch), generator);
        var lengths = batch.Mask.sum(1, keepdim: true).to(ScalarType.Float32);                      // [N, 1]
        values = Stretched(values.transpose(1, 2), lengths, generator).transpose(1, 2);
        return MoveOut(batch.WithValues((values * Observed(batch)).contiguous()));
    }

    // A part of the first places of the second dimension, as many as a series has, over these places.
    private Tensor Stretched(Tensor values, Tensor counts, Generator generator)
    {
        long places = values.shape[1];
        var draws = Draws.Uniform([values.shape[0], 2, 1], values.device, generator);
        var share = draws.select(1, 0).mul(Number(MaximumShare - MinimumShare)).add(Number(MinimumShare), One);     // [N, 1]
        var start = draws.select(1, 1) * counts * (share.neg().add(Number(1.0), One));                              // [N, 1]; below 0 for a part larger than all
        var middles = arange(Number(0.5), Number(places + 0.5), One, dtype: ScalarType.Float32, device: values.device).unsqueeze(0);
        var positions = (middles * share).add(start, One).add(Number(-0.5), One);                                   // [N, places]
        var lower = positions.floor();
        var weight = positions - lower;                                                                             // of the upper neighbor
        return At(lower, weight.neg().add(Number(1.0), One)).add(At(lower.add(Number(1.0), One), weight), One);

        Tensor At(Tensor positions, Tensor weights)
        {
            var inside = positions.ge(Number(0.0)).logical_and(positions.lt(counts));
            var index = positions.clamp(Number(0.0), Number((double)(places - 1))).to(ScalarType.Int64).unsqueeze(2).expand(-1, -1, values.shape[2]);
            return values.gather(1, index) * (weights * inside.to(weights.dtype)).unsqueeze(2);
        }
    }
}
