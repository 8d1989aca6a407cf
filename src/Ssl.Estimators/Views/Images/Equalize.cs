using Ssl.Estimators.Diagnostics;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Spreads the brightness of some images evenly, each channel on its own.</summary>
/// <remarks>As torchvision's equalize (and PIL's): on 256 levels, with the same rounding.</remarks>
public sealed class Equalize : ImageView
{
    private const int Levels = 256;

    private readonly double _share;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="share">From 0 to 1.</param>
    public Equalize(double share = 0.2)
    {
        new OptionFaults().InRange(share, 0, 1).ThrowIfAny();
        _share = share;
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var even = Spread(images.mul(Number(Levels - 1)).round().to(ScalarType.Int64));
        return where(Chosen(images, _share, generator), even.to(ScalarType.Float32).div_(Number(Levels - 1)),
            images).MoveToOuterDisposeScope();
    }

    /// <summary>Equalizes levels.</summary>
    /// <param name="levels">Int64 [N, C, H, W] from 0 to 255.</param>
    internal static Tensor Spread(Tensor levels)
    {
        using var scope = NewDisposeScope();
        long planes = levels.shape[0] * levels.shape[1];
        var flat = levels.view(planes, -1);                                                         // [NC, HW]
        var counts = zeros(planes, Levels, dtype: ScalarType.Int64, device: levels.device)
            .scatter_add_(1, flat, flat.ones_like());                                               // [NC, 256]
        // The pixels but those of the highest level that occurs, shared out over 255 levels.
        var highest = flat.amax([1L], keepdim: true);                                               // [NC, 1]
        var step = (counts.sum(1, keepdim: true) - counts.gather(1, highest)).floor_divide(Number(Levels - 1));
        var isFlat = step.eq(Number(0));
        var divisor = step.masked_fill(isFlat, Number(1));
        var table = (counts.cumsum(1) - counts).add(divisor.floor_divide(Number(2)), One).floor_divide(divisor).clamp_(Number(0),
            Number(Levels - 1));
        return where(isFlat, flat, table.gather(1, flat)).view(levels.shape).MoveToOuterDisposeScope();
    }
}
