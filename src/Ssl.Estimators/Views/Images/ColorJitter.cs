using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Changes brightness, contrast, saturation and hue, in random order, each by an amount drawn for every image.</summary>
/// <remarks>
/// <para>Amounts and arithmetic are those of torchvision's ColorJitter; every step is clamped to 0 to 1.</para>
/// <para>
/// Saturation and hue need three channels and are left out for others. The order is even over all orders for every image; images of one
/// batch share a few of them: a batch is cut into as many parts as there are steps, and each part begins with another one.
/// </para>
/// </remarks>
public sealed class ColorJitter : ImageView
{
    private static readonly float[] s_hueShifts = [5, 3, 1];

    private readonly double _brightness, _contrast, _saturation, _hue, _share;

    /// <summary>A view with these strengths.</summary>
    /// <param name="brightness">Factors from 1 - brightness (at least 0) to 1 + brightness. At least 0.</param>
    /// <param name="contrast">Factors from 1 - contrast (at least 0) to 1 + contrast. At least 0.</param>
    /// <param name="saturation">Factors from 1 - saturation (at least 0) to 1 + saturation. At least 0.</param>
    /// <param name="hue">Largest turn of the hue to either side, as a share of the whole circle. From 0 to 0.5.</param>
    /// <param name="share">Share of the images that are changed. From 0 to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public ColorJitter(double brightness = 0.4, double contrast = 0.4, double saturation = 0.4, double hue = 0.1, double share = 0.8)
    {
        new OptionFaults()
            .NotNegative(brightness)
            .NotNegative(contrast)
            .NotNegative(saturation)
            .InRange(hue, 0, 0.5)
            .InRange(share, 0, 1)
            .ThrowIfAny();
        (_brightness, _contrast, _saturation, _hue, _share) = (brightness, contrast, saturation, hue, share);
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor images, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        var hit = Chosen(images, _share, generator);                                                // [N, 1, 1, 1]
        var steps = new List<(Func<Tensor, Tensor, Tensor> Change, Tensor Amount)>();
        Add(_brightness, Brightness);
        Add(_contrast, Contrast);
        if (images.shape[1] == 3)
        {
            Add(_saturation, Saturation);
            if (_hue > 0)
                steps.Add((Hue, Draw(images, -_hue, _hue, generator).mul_(hit)));
        }
        if (steps.Count == 0)
            return images.clone().MoveToOuterDisposeScope();

        long[] order = Order(steps.Count, generator);
        Tensor[] parts = images.chunk(steps.Count);
        long start = 0;
        for (int part = 0; part < parts.Length; part++)
        {
            long count = parts[part].shape[0];
            for (int i = 0; i < steps.Count; i++)
            {
                var (change, amount) = steps[(int)order[(i + part) % steps.Count]];
                parts[part] = change(parts[part], amount.narrow(0, start, count));
            }
            start += count;
        }
        return cat(parts, 0).MoveToOuterDisposeScope();

        // The factor 1 leaves an image as it is.
        void Add(double strength, Func<Tensor, Tensor, Tensor> change)
        {
            if (strength > 0)
                steps.Add((change, Draw(images, Math.Max(0, 1 - strength) - 1, strength, generator).mul_(hit).add_(Number(1), One)));
        }
    }

    internal static Tensor Brightness(Tensor images, Tensor factors)
    {
        using var scope = NewDisposeScope();
        return images.mul(factors).clamp_(Number(0), Number(1)).MoveToOuterDisposeScope();
    }

    internal static Tensor Contrast(Tensor images, Tensor factors)
    {
        using var scope = NewDisposeScope();
        var gray = images.shape[1] == 1 ? images : Luminance(images);
        var mean = gray.mean([1L, 2L, 3L], keepdim: true);                                          // [N, 1, 1, 1]
        return images.mul(factors).add_(mean.mul_(factors.neg().add_(Number(1), One)), One).clamp_(Number(0),
            Number(1)).MoveToOuterDisposeScope();
    }

    internal static Tensor Saturation(Tensor images, Tensor factors)
    {
        using var scope = NewDisposeScope();
        var gray = Luminance(images);                                                               // [N, 1, H, W]
        return images.mul(factors).add_(gray.mul_(factors.neg().add_(Number(1), One)), One).clamp_(Number(0),
            Number(1)).MoveToOuterDisposeScope();
    }

    /// <summary>Turns the hue: from red, green, blue to hue, saturation, value and back.</summary>
    internal static Tensor Hue(Tensor images, Tensor turns)
    {
        using var scope = NewDisposeScope();
        Tensor red = images.narrow(1, 0, 1), green = images.narrow(1, 1, 1), blue = images.narrow(1, 2, 1); // [N, 1, H, W]
        var value = images.amax([1L], keepdim: true);
        var chroma = value - images.amin([1L], keepdim: true);
        var gray = chroma.eq(Number(0));
        var divisor = chroma.masked_fill(gray, Number(1));
        // The largest channel says in which third of the circle the hue is.
        Tensor isRed = value.eq(red), isGreen = value.eq(green).logical_and(isRed.logical_not());
        var hue = where(isRed, (green - blue) / divisor,
            where(isGreen, ((blue - red) / divisor).add(Number(2), One), ((red - green) / divisor).add(Number(4), One)));
        hue = hue.masked_fill_(gray, Number(0)).div_(Number(6)).add_(turns, One).remainder(Number(1));   // [N, 1, H, W] from 0 to 1
        // A channel is value - chroma x max(0, min(k, 4 - k, 1)) with k its distance on the circle in sixths.
        var shifts = Constants.On(images.device, s_hueShifts).view(1, 3, 1, 1);
        var k = (hue * Number(6)).add(shifts, One).remainder(Number(6));                                    // [N, 3, H, W]
        var share = k.minimum(k.neg().add_(Number(4), One)).clamp_(Number(0), Number(1));
        return (value - chroma * share).clamp_(Number(0), Number(1)).MoveToOuterDisposeScope();
    }
}
