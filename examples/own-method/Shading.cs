using Ssl.Estimators;
using Ssl.Estimators.Randomness;
using static Ssl.Estimators.Native.Scalars;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>A view of one's own: light falls in from another side, so that an image gets brighter along a line of any direction.</summary>
public sealed class Shading(double strength = 1) : ImageView
{
    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        using var scope = NewDisposeScope();
        // One draw an image, on the device of the images, from the stream that the run is reproducible by: [N, 2, 1, 1].
        var slopes = Draws.Uniform([images.shape[0], 2, 1, 1], images.device, generator).sub(Number(0.5)).mul(Number(2 * strength));
        var light = slopes.narrow(1, 0, 1).mul(Places(images.shape[3], images).view(1, 1, 1, -1))
            .add(slopes.narrow(1, 1, 1).mul(Places(images.shape[2], images).view(1, 1, -1, 1)), One);      // [N, 1, H, W]
        return images.add(light, One).clamp(Number(0), Number(1)).MoveToOuterDisposeScope();
    }

    private static Tensor Places(long count, Tensor like)
        => arange(Number(0), Number(count), One, dtype: ScalarType.Float32, device: like.device).div(Number(count - 1.0)).sub(Number(0.5));
}
