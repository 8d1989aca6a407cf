using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Encoders;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Several views of each image: a few large ones and many small ones (SwAV, arXiv:2006.09882; DINO, arXiv:2104.14294).</summary>
public sealed class MultiCrop
{
    /// <summary>Views of two kinds.</summary>
    /// <param name="global">Gives the large views.</param>
    /// <param name="globals">Large views an image. At least 2.</param>
    /// <param name="local">Gives the small views, of one size; null for none.</param>
    /// <param name="locals">Small views an image. At least 0; 0 where <paramref name="local"/> is null.</param>
    /// <exception cref="ArgumentException">The strengths of a view are to be learned.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its stated range; all of them are named.</exception>
    public MultiCrop(ImageView global, int globals = 2, ImageView? local = null, int locals = 0)
    {
        ArgumentNullException.ThrowIfNull(global);
        new OptionFaults()
            .AtLeast(globals, 2)
            .NotNegative(locals)
            .Require(local is not null || locals == 0, nameof(locals), "must be 0 without local views", locals)
            .ThrowIfAny();
        _ = ImageViews.RequireFixed(global, nameof(MultiCrop));
        if (local is not null)
            _ = ImageViews.RequireFixed(local, nameof(MultiCrop));
        (Global, Globals, Local, Locals) = (global, globals, local, locals);
    }

    /// <summary>Gives the large views.</summary>
    public ImageView Global { get; }

    /// <summary>Large views an image.</summary>
    public int Globals { get; }

    /// <summary>Gives the small views.</summary>
    public ImageView? Local { get; }

    /// <summary>Small views an image.</summary>
    public int Locals { get; }

    /// <summary>All views of a batch.</summary>
    /// <param name="batch">N images; must not be changed or disposed of.</param>
    /// <param name="generator">On the batch's device.</param>
    /// <returns>Single [globals x N, C, H, W] and, where there are small ones, [locals x N, C, h, w]: view after view; the
    /// caller's.</returns>
    public (ImageBatch Global, ImageBatch? Local) Apply(ImageBatch batch, Generator generator)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return (ImageViews.Repeat(Global, Globals, batch, generator),
            Local is null || Locals == 0 ? null : ImageViews.Repeat(Local, Locals, batch, generator));
    }
}
