using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using Ssl.Estimators.Views;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Views of images, ready to use, and their composition.</summary>
public static class ImageViews
{
    // From here on images are large enough for blur to matter.
    private const int LargeSize = 96;

    /// <summary>Several views one after the other.</summary>
    /// <param name="views">At least one; applied in this order.</param>
    public static ImageView Compose(params ImageView[] views)
    {
        GivenViews.Require(views);
        return views.Length == 1 ? views[0] : new ComposedImageView([.. views]);
    }

    /// <summary>What contrastive methods use by default: <see cref="Photos"/> for three channels, <see cref="Gray"/> for others.</summary>
    /// <param name="shape">Of the encoder.</param>
    public static ImageView For(ImageShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return shape.Channels == 3 ? Photos(shape) : Gray(shape);
    }

    /// <summary>
    /// Color photos, as SimCLR: crop of 8 to 100 % of the area with flip, color jitter of .8, .8, .8, .2 times the strength, one image in
    /// five gray, and from 96 pixels on one in two blurred.
    /// </summary>
    /// <param name="shape">Of the encoder; three channels.</param>
    /// <param name="strength">Of the color jitter: .5 for small images, 1 for large ones. At least 0, at most 2.5.</param>
    /// <param name="minimumArea">Smallest crop as a share of the area. Greater than 0, at most 1.</param>
    public static ImageView Photos(ImageShape shape, double strength = 0.5, double minimumArea = 0.08)
    {
        ArgumentNullException.ThrowIfNull(shape);
        new OptionFaults().InRange(strength, 0, 2.5).ThrowIfAny();
        List<ImageView> views =
        [
            new RandomResizedCrop(shape.Height, shape.Width, minimumArea),
            new ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength),
            new Grayscale(),
        ];
        if (Math.Min(shape.Height, shape.Width) >= LargeSize)
            views.Add(new GaussianBlur(BlurSize(shape)));
        return Compose([.. views]);
    }

    /// <summary>
    /// Small grayscale images such as garments or documents: crop of 20 to 100 % of the area with flip, brightness and contrast.
    /// </summary>
    /// <param name="shape">Of the encoder; any number of channels.</param>
    /// <param name="minimumArea">Smallest crop as a share of the area. Greater than 0, at most 1.</param>
    /// <param name="horizontalFlip">Share of the images that are mirrored; 0 where left and right mean something, as in text.</param>
    public static ImageView Gray(ImageShape shape, double minimumArea = 0.2, double horizontalFlip = 0.5)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return Compose(new RandomResizedCrop(shape.Height, shape.Width, minimumArea, horizontalFlip: horizontalFlip),
            new ColorJitter(0.4, 0.4, 0, 0));
    }

    /// <summary>
    /// Images without up or down, such as from satellites or microscopes: crop, both flips, any rotation; no change of hue.
    /// </summary>
    /// <param name="shape">Of the encoder; any number of channels.</param>
    /// <param name="minimumArea">Smallest crop as a share of the area. Greater than 0, at most 1.</param>
    public static ImageView Overhead(ImageShape shape, double minimumArea = 0.2)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return Compose(new RandomResizedCrop(shape.Height, shape.Width, minimumArea, verticalFlip: 0.5, maximumRotation: 180),
            new ColorJitter(0.4, 0.4, 0, 0));
    }

    /// <summary>Crop of 20 to 100 % of the area with flip and nothing else: what masked methods use.</summary>
    /// <param name="shape">Of the encoder; any number of channels.</param>
    /// <param name="minimumArea">Smallest crop as a share of the area. Greater than 0, at most 1.</param>
    public static ImageView CropAndFlip(ImageShape shape, double minimumArea = 0.2)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return new RandomResizedCrop(shape.Height, shape.Width, minimumArea);
    }

    /// <summary>
    /// BYOL's two different views: weaker saturation; solarised in one of the two; from 96 pixels on blurred always or seldom.
    /// </summary>
    /// <param name="shape">Of the encoder; any number of channels.</param>
    /// <param name="minimumArea">Smallest crop as a share of the area. Greater than 0, at most 1.</param>
    /// <returns>The two views.</returns>
    public static (ImageView First, ImageView Second) Asymmetric(ImageShape shape, double minimumArea = 0.08)
    {
        ArgumentNullException.ThrowIfNull(shape);
        return (Side(1, 0), Side(0.1, 0.2));

        ImageView Side(double blurred, double solarized)
        {
            List<ImageView> views =
            [
                new RandomResizedCrop(shape.Height, shape.Width, minimumArea),
                new ColorJitter(0.4, 0.4, 0.2, 0.1),
                new Grayscale(shape.Channels == 3 ? 0.2 : 0),
            ];
            if (Math.Min(shape.Height, shape.Width) >= LargeSize)
                views.Add(new GaussianBlur(BlurSize(shape), share: blurred));
            if (solarized > 0)
                views.Add(new Solarize(share: solarized));
            return Compose([.. views]);
        }
    }

    /// <summary>Refuses a view whose strengths would not be learned.</summary>
    internal static ImageView RequireFixed(ImageView view, string method)
        => view.Learns ? throw new ArgumentException($"{method} cannot learn the strengths of a view; it takes views with fixed strengths, such as "
            + $"{nameof(ColorJitter)}. {nameof(LearnableImageView)} is for methods that compare two views of an image, such as SimCLR.",
                nameof(view))
            : view;

    /// <summary>A view several times over, in one batch, so that the encoder runs once.</summary>
    /// <param name="view">Drawn anew each time.</param>
    /// <param name="times">At least 1.</param>
    /// <param name="batch">N images.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>[times x N, C, H, W]; the caller's.</returns>
    public static ImageBatch Repeat(ImageView view, int times, ImageBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(view);
        new OptionFaults().AtLeast(times, 1).ThrowIfAny();
        return Each(Enumerable.Repeat(view, times), batch, generator);
    }

    /// <summary>Each view once: [views x N, C, H, W], view after view.</summary>
    /// <param name="views">At least one; all give images of one size.</param>
    /// <param name="batch">N images.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>The caller's.</returns>
    public static ImageBatch Each(IEnumerable<ImageView> views, ImageBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(views);
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(generator);
        using var scope = NewDisposeScope();
        ImageView[] all = [.. views];
        GivenViews.Require(all, nameof(views));
        // Only strengths that are learned want a gradient.
        using var noGrad = all.Any(view => view.Learns) ? null : no_grad();
        var images = batch.ToSingle();                                                              // [N, C, H, W]
        return new ImageBatch(cat([.. all.Select(view => view.Apply(images, generator))], 0).MoveToOuterDisposeScope());
    }

    // A tenth of the image, odd.
    private static int BlurSize(ImageShape shape) => Math.Max(3, Math.Min(shape.Height, shape.Width) / 10 | 1);
}

/// <summary>Views one after the other.</summary>
internal sealed class ComposedImageView(ImageView[] views) : ImageView
{
    internal override bool Learns => views.Any(view => view.Learns);

    internal override ImageView Bind(ViewStrengths strengths) => new ComposedImageView([.. views.Select(view => view.Bind(strengths))]);

    public override Tensor Apply(Tensor images, Generator generator)
    {
        using var scope = NewDisposeScope();
        foreach (var view in views)
            images = view.Apply(images, generator);
        return images.MoveToOuterDisposeScope();
    }
}
