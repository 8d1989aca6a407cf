using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Layer normalization (Ba, Kiros and Hinton, 2016) over the last dimension, with PyTorch's names. What comes in bfloat16 leaves in it; mean
/// and variance are summed in Float32 in any case.
/// </summary>
internal sealed class LayerNormalization : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight, bias;    // named as PyTorch names them in files
    private readonly long[] _shape;
    private readonly double _epsilon;

    public LayerNormalization(long dimension, double epsilon) : base(nameof(LayerNormalization))
    {
        (_shape, _epsilon) = ([dimension], epsilon);
        Initialization.Take(2, dimension);
        weight = nn.Parameter(ones(dimension, dtype: ScalarType.Float32));
        bias = nn.Parameter(zeros(dimension, dtype: ScalarType.Float32));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => input.dtype == ScalarType.BFloat16
        ? nn.functional.layer_norm(input, _shape, MixedPrecision.Round(weight), MixedPrecision.Round(bias), _epsilon)
        : nn.functional.layer_norm(input, _shape, weight, bias, _epsilon);
}
