using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Views;

/// <summary>
/// Two patches of each image for methods that predict how they belong together: from a grid of three by three cells, with a gap between
/// cells and a shift of each patch of its own, so that edges which go on are no shortcut.
/// </summary>
internal sealed class PatchPairCrop
{
    private const int Grid = 3;

    // Side of a patch as a share of its cell; the rest is gap and room to shift.
    private const double Share = 0.75;

    private readonly int _height, _width;
    private readonly ImageView _colors;

    /// <summary>A cutter.</summary>
    /// <param name="height">Rows of pixels that a patch is brought to.</param>
    /// <param name="width">Pixels a row that a patch is brought to.</param>
    /// <param name="colors">Changes each patch on its own, so that colors (and chromatic aberration) are no shortcut.</param>
    public PatchPairCrop(int height, int width, ImageView colors)
    {
        new OptionFaults().AtLeast(height, 1).AtLeast(width, 1).ThrowIfAny();
        (_height, _width, _colors) = (height, width, colors);
    }

    /// <summary>Cuts the patches at given cells.</summary>
    /// <param name="images">Single [N, C, H, W], at least 3 pixels high and wide.</param>
    /// <param name="cells">Int64 [N], from 0 (top left) to 8 (bottom right).</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>[N, C, height, width].</returns>
    public Tensor Cut(Tensor images, Tensor cells, Generator generator)
    {
        using var scope = NewDisposeScope();
        var size = ImageView.SizeOf(images).div(Number(Grid)); // [2]
        // [N, 2]
        var corner = stack([cells.floor_divide(Number(Grid)), cells.remainder(Number(Grid))], 1).to(ScalarType.Float32).mul_(size);
        var shift = Draws.Uniform([images.shape[0], 2], images.device, generator).mul_(Number(1 - Share)).mul_(size);
        var boxes = cat([corner.add(shift, One), size.mul(Number(Share)).unsqueeze(0).expand_as(corner)], 1);        // [N, 4]
        var none = zeros(images.shape[0], 2, dtype: ScalarType.Bool, device: images.device);
        var patches = RandomResizedCrop.Resample(images, boxes, none, null, _height, _width);
        return _colors.Apply(patches, generator).MoveToOuterDisposeScope();
    }

    /// <summary>Cells drawn evenly, int64 [N].</summary>
    /// <param name="count">N.</param>
    /// <param name="cells">Cells to draw from: 0 to this number less 1.</param>
    /// <param name="device">Where.</param>
    /// <param name="generator">On the device.</param>
    public static Tensor Draw(long count, int cells, Device device, Generator generator)
        => Draws.Integers(0, cells, [count], device, generator);

    /// <summary>Colors change much and are often taken away.</summary>
    public static ImageView Colors() => ImageViews.Compose(new ColorJitter(0.4, 0.4, 0.4, 0.1), new Grayscale(0.5));
}
