using Ssl.Estimators.Diagnostics;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Takes the color out of some images; the number of channels stays.</summary>
public sealed class Grayscale : ImageView
{
    private readonly double _share;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="share">From 0 to 1.</param>
    public Grayscale(double share = 0.2)
    {
        new OptionFaults().InRange(share, 0, 1).ThrowIfAny();
        _share = share;
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        return where(Chosen(images, _share, generator), Luminance(images), images).MoveToOuterDisposeScope();
    }
}
