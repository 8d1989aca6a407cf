using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>How feature maps lie in memory.</summary>
internal static class MemoryLayout
{
    /// <summary>
    /// The same maps [N, C, H, W] with a pixel's channels next to each other, which convolutions and batch normalization compute faster
    /// and hand on; without a copy where they lie so already.
    /// </summary>
    /// <remarks>TorchSharp has no operation that takes a memory format, but the strides say it all.</remarks>
    public static Tensor ChannelsLast(Tensor maps)
    {
        using var scope = NewDisposeScope();
        var pixels = maps.permute(0, 2, 3, 1).contiguous();                                         // [N, H, W, C]
        // Of a single channel the numbers lie alike either way; its stride tells libtorch which way it is, and only a new view sets it.
        if (pixels.shape[3] == 1)
            pixels = pixels.flatten().view(pixels.shape);
        return pixels.permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
