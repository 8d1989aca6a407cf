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

    /// <summary>Weights normal with deviation sqrt(2 / (outputs x side^2)) (He et al., 2015, fan out).</summary>
    public ImageConvolution(long inputs, long outputs, long side, long stride, RandomStreams streams) : base(nameof(ImageConvolution))
    {
        _weight = nn.Parameter(zeros(outputs, inputs, side, side, dtype: ScalarType.Float32));
        Initialization.Normal(_weight, Math.Sqrt(2.0 / (outputs * side * side)), streams.Weights);
        (_strides, _padding) = ([stride, stride], [side / 2, side / 2]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor maps)
    {
        using var scope = NewDisposeScope();
        return nn.functional.conv2d(MixedPrecision.Round(maps), MixedPrecision.Round(_weight), null, _strides, _padding)
            .MoveToOuterDisposeScope();
    }
}
