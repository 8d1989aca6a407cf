using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A square convolution without bias that pads by half of its side; its weight is named as in torchvision.</summary>
/// <remarks>
/// It computes with a pixel's channels next to each other, and hands its maps on so (<see cref="MemoryLayout"/>): that is two to twenty times
/// as fast on few channels as bringing what comes out into that layout (2 threads, AVX2 and AVX-512).
/// </remarks>
internal sealed class ImageConvolution : nn.Module<Tensor, Tensor>
{
    // From this number on the passes that it saves cost more than the factors.
    private const int FoldedImages = 16;

    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    private readonly long[] _strides, _padding;

    // Pixels that a convolution of side 1 never reads.
    private readonly long _skip;

    /// <summary>Weights normal with deviation sqrt(2 / (outputs x side^2)) (He et al., 2015, fan out).</summary>
    public ImageConvolution(long inputs, long outputs, long side, long stride, RandomStreams streams) : base(nameof(ImageConvolution))
    {
        _weight = Initialization.Weights(outputs, inputs, side, side);
        Initialization.Normal(_weight, Math.Sqrt(2.0 / (outputs * side * side)), streams.Weights);
        _skip = side == 1 ? stride : 1;
        (_strides, _padding) = ([stride / _skip, stride / _skip], [side / 2, side / 2]);
        RegisterComponents();
    }

    /// <summary>
    /// The convolution and the batch normalization behind it. Where nothing is learned they are one: the normalization's factors go into the
    /// weights, which saves a pass over the maps.
    /// </summary>
    /// <param name="norm">As many channels as come out.</param>
    /// <param name="maps">[N, C, H, W].</param>
    public Tensor Normalized(BatchNorm norm, Tensor maps)
    {
        using var scope = NewDisposeScope();
        if (norm.training || is_grad_enabled() || MixedPrecision.IsOn || maps.shape[0] < FoldedImages)
            return norm.call(call(maps)).MoveToOuterDisposeScope();
        var (scale, shift) = norm.ScaleAndShift();
        return Convolve(maps, _weight.mul(scale.view(-1, 1, 1, 1)), shift).MoveToOuterDisposeScope();
    }

    public override Tensor forward(Tensor maps)
    {
        using var scope = NewDisposeScope();
        return Convolve(maps, _weight, null).MoveToOuterDisposeScope();
    }

    private Tensor Convolve(Tensor maps, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        // They are left out before: with few input channels oneDNN's backward pass of such a stride writes beyond its memory.
        if (_skip > 1)
            maps = maps.slice(2, 0, maps.shape[2], _skip).slice(3, 0, maps.shape[3], _skip);
        var pixels = MixedPrecision.Round(MemoryLayout.ChannelsLast(maps));
        return (weight.shape[2] == 1 && maps.shape[0] < FoldedImages && maps.device.type == TorchSharp.DeviceType.CPU && !MixedPrecision.IsOn
            ? Product(pixels, weight, bias)
            : nn.functional.conv2d(pixels, MixedPrecision.Round(MemoryLayout.ChannelsLast(weight)), bias, _strides, _padding)).MoveToOuterDisposeScope();
    }

    // Of few images on one thread libtorch does not ask oneDNN for a convolution of side 1, but a library that complains of many a processor on the console.
    private static Tensor Product(Tensor maps, Tensor weight, Tensor? bias)
    {
        var pixels = maps.permute(0, 2, 3, 1);                                                      // [N, H, W, C], as it lies in memory
        return nn.functional.linear(pixels, weight.flatten(1), bias).permute(0, 3, 1, 2);
    }
}
