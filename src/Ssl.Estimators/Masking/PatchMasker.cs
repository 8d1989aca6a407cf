using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Randomness;
using static TorchSharp.torch;

namespace Ssl.Estimators.Masking;

/// <summary>Chooses which patches of an image are hidden: a fixed number of them, others for every image.</summary>
/// <param name="Visible">Int64 [N, V]: the places that can be seen, in random order.</param>
/// <param name="Hidden">Int64 [N, M]: the places that are hidden, in random order.</param>
public sealed record PatchMask(Tensor Visible, Tensor Hidden)
{
    /// <summary>Hides a share of the patches, rounded, but at least one; at least one stays visible.</summary>
    /// <param name="images">N.</param>
    /// <param name="patches">P, patches of an image. At least 2.</param>
    /// <param name="ratio">Share of the patches that are hidden. Between 0 and 1.</param>
    /// <param name="generator">Gives the draws, and says on which device.</param>
    /// <param name="device">Where the images are; the generator's device.</param>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is not between 0 and 1, or there is a single patch.</exception>
    public static PatchMask Draw(long images, int patches, double ratio, Generator generator, Device device)
    {
        new OptionFaults().Between(ratio, 0, 1).AtLeast(patches, 2).ThrowIfAny();
        using var scope = NewDisposeScope();
        int hidden = CountHidden(patches, ratio);
        var order = Draws.Uniform([images, patches], device, generator).argsort(1);         // [N, P]
        return new PatchMask(order.narrow(1, 0, patches - hidden).MoveToOuterDisposeScope(),
            order.narrow(1, patches - hidden, hidden).MoveToOuterDisposeScope());
    }

    /// <summary>How many of so many patches a ratio hides.</summary>
    internal static int CountHidden(int patches, double ratio)
        => Math.Clamp((int)Math.Round(patches * ratio, MidpointRounding.AwayFromZero), 1, patches - 1);

    /// <summary>That of some images that follow each other.</summary>
    internal PatchMask Part(long first, long count) => new(Visible.narrow(0, first, count), Hidden.narrow(0, first, count));

    /// <summary>The patches with another vector in place of the hidden ones.</summary>
    /// <param name="patches">[N, P, D].</param>
    /// <param name="replacement">What stands at hidden places, [D] or [1, P, D].</param>
    /// <returns>[N, P, D].</returns>
    internal Tensor Replace(Tensor patches, Tensor replacement)
    {
        var isHidden = zeros(patches.shape[0], patches.shape[1], dtype: ScalarType.Float32, device: patches.device)
            .scatter_(1, Hidden, ones_like(Hidden, dtype: ScalarType.Float32)).to(ScalarType.Bool).unsqueeze(2);    // [N, P, 1]
        return where(isHidden, replacement, patches);
    }

    /// <summary>The vectors at some places.</summary>
    /// <param name="tokens">[N, P, D].</param>
    /// <param name="places">Int64 [N, V].</param>
    /// <returns>[N, V, D].</returns>
    internal static Tensor Take(Tensor tokens, Tensor places)
        => tokens.gather(1, places.unsqueeze(2).expand(places.shape[0], places.shape[1], tokens.shape[2]));
}
