using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Lays another image of the batch over each image, faintly.</summary>
/// <remarks>
/// Zhang et al., "mixup", 2018 (arXiv:1710.09412), used as a view: the image itself keeps at least half of the weight, so that it still
/// shows the same. The weight of the other image is drawn evenly for each.
/// </remarks>
public sealed class Mixup : ImageView
{
    private readonly double _strength;

    /// <summary>A view of a strength.</summary>
    /// <param name="maximumWeight">Largest weight of the other image. From 0 to 0.5.</param>
    public Mixup(double maximumWeight = 0.4)
    {
        new OptionFaults().InRange(maximumWeight, 0, 0.5).ThrowIfAny();
        _strength = maximumWeight;
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var others = images.index_select(0, Draws.Permutation(images.shape[0], images.device, generator));
        return images.lerp(others, Draw(images, 0, _strength, generator)).MoveToOuterDisposeScope();
    }
}

/// <summary>Puts a rectangle of another image of the batch into each image.</summary>
/// <remarks>
/// Yun et al., "CutMix", 2019 (arXiv:1905.04899), used as a view: the image itself keeps at least half of its area. The rectangle has the
/// image's ratio, a random place, and a share of the area drawn evenly for each.
/// </remarks>
public sealed class CutMix : ImageView
{
    private readonly double _maximumArea;

    /// <summary>A view of a strength.</summary>
    /// <param name="maximumArea">Largest share of the area that comes from the other image. From 0 to 0.5.</param>
    public CutMix(double maximumArea = 0.3)
    {
        new OptionFaults().InRange(maximumArea, 0, 0.5).ThrowIfAny();
        _maximumArea = maximumArea;
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var others = images.index_select(0, Draws.Permutation(images.shape[0], images.device, generator));
        var sizes = SizeOf(images); // [2]
        var draws = Draws.Uniform([images.shape[0], 3], images.device, generator);
        var sides = draws.narrow(1, 2, 1).mul(Number(_maximumArea)).sqrt_().mul(sizes).floor();             // [N, 2]
        var corners = draws.narrow(1, 0, 2).mul((sizes - sides).add(Number(1), One)).floor();                         // [N, 2]
        return where(Rectangles.Inside(images, cat([corners, sides], 1)), others, images).MoveToOuterDisposeScope();
    }
}
