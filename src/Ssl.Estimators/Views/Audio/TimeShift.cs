using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Moves each sound along its own length; what falls off at one end comes in at the other.</summary>
public sealed class TimeShift : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="maximumShare">The farthest, as a part of the sound's own length, to either side. From 0 to 1.</param>
    public TimeShift(double maximumShare = 0.1)
    {
        new OptionFaults().InRange(maximumShare, 0, 1).ThrowIfAny();
        MaximumShare = maximumShare;
    }

    /// <summary>The farthest, as a part of the sound's length.</summary>
    public double MaximumShare { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var device = batch.Values.device;
        var lengths = batch.Mask.sum(1, keepdim: true);                                                 // [N, 1]
        var draws = Draws.Uniform([batch.Count, 1], device, generator).mul_(Number(2 * MaximumShare)).sub_(Number(MaximumShare));
        var shifts = (draws * lengths).round().to(ScalarType.Int64);
        var places = arange(Number(0), Number(batch.Length), One, dtype: ScalarType.Int64, device: device).unsqueeze(0);    // [1, T]
        // The remainder has the sign of the length: never below 0. Padding stays where it is.
        var from = where(batch.Mask, (places - shifts).remainder(lengths), places.expand(batch.Count, -1));
        return MoveOut(batch.Take(from));
    }
}
