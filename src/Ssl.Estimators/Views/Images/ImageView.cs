using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>A random change of images that keeps what they show: what contrastive methods compare.</summary>
/// <remarks>
/// Write your own by deriving from it and overriding <see cref="Apply(Tensor, Generator)"/>: work on the whole batch at once, on its
/// device, with one draw for each image from the generator.
/// </remarks>
public abstract class ImageView
{
    private static readonly ConcurrentDictionary<(long Height, long Width), float[]> s_sizes = [];

    /// <summary>Changed copies of images.</summary>
    /// <param name="images">Single [N, channels, height, width] from 0 to 1; must not be changed or disposed of.</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>Single [N, channels, height, width] from 0 to 1, of the same or another height and width; the caller's.</returns>
    public abstract Tensor Apply(Tensor images, Generator generator);

    /// <summary>Whether strengths of the view are learned: it, or a part of it, is a <see cref="LearnableImageView"/>.</summary>
    internal virtual bool Learns => false;

    /// <summary>The view with the strengths of one training.</summary>
    internal virtual ImageView Bind(ViewStrengths strengths) => this;

    /// <summary>A changed copy of a batch.</summary>
    /// <param name="batch">N images, bytes or Single; must not be changed or disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>N images as Single; the caller's.</returns>
    public ImageBatch Apply(ImageBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        return new ImageBatch(Apply(batch.ToSingle(), generator).MoveToOuterDisposeScope());
    }

    /// <summary>One number for each image, evenly between two bounds.</summary>
    /// <param name="images">[N, ...]: says how many, and on which device.</param>
    /// <param name="low">Lowest number.</param>
    /// <param name="high">Highest number.</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>Single [N, 1, 1, 1].</returns>
    protected static Tensor Draw(Tensor images, double low, double high, Generator generator)
        => Draws.Uniform([images.shape[0], 1, 1, 1], images.device, generator).mul_(Number(high - low)).add_(Number(low), One);

    /// <summary>Height and width of images, Float32 [2] on their device; made once for each size, to be neither changed nor disposed of.</summary>
    /// <param name="images">[N, C, H, W].</param>
    internal static Tensor SizeOf(Tensor images) => Constants.On(images.device,
        s_sizes.GetOrAdd((images.shape[2], images.shape[3]), static size => [size.Height, size.Width]));

    /// <summary>The numbers from 0 to one less than a count in random order.</summary>
    /// <param name="count">How many.</param>
    /// <param name="generator">Draws the order, on the host: it is needed there.</param>
    private protected static long[] Order(int count, Generator generator)
    {
        using var order = Draws.CommonPermutation(count, generator);
        return MemoryMarshal.Cast<byte, long>(order.bytes).ToArray();
    }

    /// <summary>Which images a share hits; each drawn on its own.</summary>
    /// <param name="images">[N, ...]: says how many, and on which device.</param>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="generator">On the images' device.</param>
    /// <returns>Bool [N, 1, 1, 1].</returns>
    protected static Tensor Chosen(Tensor images, double share, Generator generator)
        => Draws.Uniform([images.shape[0], 1, 1, 1], images.device, generator).lt(Number(share));

    /// <summary>
    /// Brightness of every pixel: .2989 red + .587 green + .114 blue, or the mean of the channels where they are not three.
    /// </summary>
    /// <param name="images">[N, C, H, W].</param>
    /// <returns>[N, 1, H, W].</returns>
    protected static Tensor Luminance(Tensor images)
    {
        if (images.shape[1] != 3)
            return images.mean([1L], keepdim: true);
        using var scope = NewDisposeScope();
        return images.narrow(1, 0, 1).mul(Number(0.2989))
            .add_(images.narrow(1, 1, 1), Number(0.587))
            .add_(images.narrow(1, 2, 1), Number(0.114)).MoveToOuterDisposeScope();
    }
}
