using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Cuts each series into a random number of equal stretches and puts them into a random order.</summary>
public sealed class SegmentPermutation : SeriesView
{
    /// <summary>A view.</summary>
    /// <param name="maximumSegments">The most stretches; each series draws from 1 to this. At least 1.</param>
    public SegmentPermutation(int maximumSegments = 5)
    {
        new OptionFaults().AtLeast(maximumSegments, 1).ThrowIfAny();
        MaximumSegments = maximumSegments;
    }

    /// <summary>The most stretches.</summary>
    public int MaximumSegments { get; }

    /// <inheritdoc/>
    public override SeriesBatch Apply(SeriesBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var device = batch.Values.device;
        var lengths = batch.Mask.sum(1, keepdim: true);                                             // [N, 1]
        var segments = Draws.Uniform([batch.Count, 1], device, generator).mul_(Number(MaximumSegments)).floor().add_(Number(1), One);
        var places = arange(Number(0), Number(batch.Length), One, dtype: ScalarType.Int64, device: device).unsqueeze(0);    // [1, T]
        // Padding falls into the segment behind the last one, whose place in the order is fixed.
        var segment = (places * segments / lengths).floor().to(ScalarType.Int64).clamp_max(Number(MaximumSegments)); // [N, T]
        var order = Draws.Uniform([batch.Count, MaximumSegments + 1], device, generator).gather(1, segment);
        order = order.masked_fill(batch.Mask.logical_not(), Number(2));
        var (_, from) = order.sort(1, descending: false, stable: true);
        return MoveOut(batch.Take(from));
    }
}
