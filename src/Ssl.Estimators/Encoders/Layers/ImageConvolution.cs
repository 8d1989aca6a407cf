using Ssl.Estimators.Randomness;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A square convolution without bias that pads by half of its side; its weight is named as in torchvision.</summary>
internal sealed class ImageConvolution : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    private readonly long[] _strides, _padding;

    // Pixels that a convolution of side 1 never reads.
    private readonly long _skip;

    /// <summary>Weights normal with deviation sqrt(2 / (outputs x side^2)) (He et al., 2015, fan out).</summary>
    public ImageConvolution(long inputs, long outputs, long side, long stride, RandomStreams streams) : base(nameof(ImageConvolution))
    {
        _weight = nn.Parameter(zeros(outputs, inputs, side, side, dtype: ScalarType.Float32));
        Initialization.Normal(_weight, Math.Sqrt(2.0 / (outputs * side * side)), streams.Weights);
        _skip = side == 1 ? stride : 1;
        (_strides, _padding) = ([stride / _skip, stride / _skip], [side / 2, side / 2]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor maps)
    {
        using var scope = NewDisposeScope();
        // They are left out before: with few input channels oneDNN's backward pass of such a stride writes beyond its memory.
        if (_skip > 1)
            maps = maps.slice(2, 0, maps.shape[2], _skip).slice(3, 0, maps.shape[3], _skip);
        return nn.functional.conv2d(MixedPrecision.Round(maps), MixedPrecision.Round(_weight), null, _strides, _padding)
            .MoveToOuterDisposeScope();
    }
}
