using Ssl.Estimators.Randomness;
using Ssl.Estimators.Views;
using TorchSharp;
using static Ssl.Estimators.Native.Scalars;
using static TorchSharp.torch;

namespace OwnMethod;

/// <summary>A view of one's own: some images become their negative, so that dark ink and light ink mean the same.</summary>
public sealed class Polarity(double share = 0.5) : ImageView
{
    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        using var scope = NewDisposeScope();
        // One draw an image, on the device of the images, from the stream that the run is reproducible by.
        var turned = Draws.Uniform([images.shape[0], 1, 1, 1], images.device, generator).lt(Number(share));
        return where(turned, images.neg().add(Number(1), One), images).MoveToOuterDisposeScope();
    }
}
