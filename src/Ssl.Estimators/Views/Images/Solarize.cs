using Ssl.Estimators.Diagnostics;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Turns bright pixels of some images into their negative: x from a threshold on becomes 1 - x.</summary>
public sealed class Solarize : ImageView
{
    private readonly double _threshold, _share;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="threshold">From 0 to 1.</param>
    /// <param name="share">Share of the images that are changed. From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public Solarize(double threshold = 0.5, double share = 0.2)
    {
        new OptionFaults().InRange(threshold, 0, 1).InRange(share, 0, 1).ThrowIfAny();
        (_threshold, _share) = (threshold, share);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var turned = images.ge(Number(_threshold)).logical_and(Chosen(images, _share, generator));
        return where(turned, images.neg().add_(Number(1), One), images).MoveToOuterDisposeScope();
    }
}
