using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Cuts some images into a grid of patches and puts them together in random order.</summary>
public sealed class PatchShuffle : ImageView
{
    private readonly int _grid;
    private readonly double _share;

    /// <summary>A view that hits a share of the images.</summary>
    /// <param name="grid">Patches a row and a column; must divide the image's height and width. At least 2.</param>
    /// <param name="share">From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public PatchShuffle(int grid, double share = 1)
    {
        new OptionFaults().AtLeast(grid, 2).InRange(share, 0, 1).ThrowIfAny();
        (_grid, _share) = (grid, share);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        long n = images.shape[0], channels = images.shape[1], height = images.shape[2], width = images.shape[3];
        if (height % _grid != 0 || width % _grid != 0)
        {
            throw new ArgumentException($"A grid of {_grid} x {_grid} patches does not divide images of {height} x {width} pixels. "
                + "Choose a grid that does.", nameof(images));
        }
        using var scope = NewDisposeScope();
        long places = (long)_grid * _grid;
        var order = Draws.Uniform([n, places], images.device, generator).argsort(1);        // [N, G G]
        order = where(Chosen(images, _share, generator).view(n, 1), order,
            arange(Number(0), Number(places), One, device: images.device).expand(n, places));
        var patches = images.reshape(n, channels, _grid, height / _grid, _grid, width / _grid)
            .permute(0, 2, 4, 1, 3, 5).reshape(n, places, -1);                                      // [N, G G, C h w]
        return patches.gather(1, order.unsqueeze(2).expand_as(patches))
            .view(n, _grid, _grid, channels, height / _grid, width / _grid)
            .permute(0, 3, 1, 4, 2, 5).reshape(n, channels, height, width).MoveToOuterDisposeScope();
    }
}
