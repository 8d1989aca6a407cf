using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>A linear layer, with PyTorch's names. In mixed precision it computes in bfloat16, which TorchSharp's own does not know.</summary>
internal sealed class LinearLayer : nn.Module<Tensor, Tensor>
{
    private readonly Parameter weight;  // named as PyTorch names them in files
    private readonly Parameter? bias;

    /// <summary>A layer of zeros; the caller draws its weights.</summary>
    public LinearLayer(long inputs, long outputs, bool hasBias) : base(nameof(LinearLayer))
    {
        weight = Initialization.Weights(outputs, inputs);
        if (hasBias)
            bias = nn.Parameter(zeros(outputs, dtype: ScalarType.Float32));
        RegisterComponents();
    }

    /// <summary>[outputs, inputs].</summary>
    public Parameter Weight => weight;

    /// <summary>[outputs], or null.</summary>
    public Parameter? Bias => bias;

    /// <summary>[..., inputs] to [..., outputs]: bfloat16 in mixed precision.</summary>
    public override Tensor forward(Tensor input) => MixedPrecision.Linear(input, weight, bias);

    /// <summary>
    /// The same in Float32 in any case: for inputs that are the data's own numbers, whose digits count, and for what a loss is computed of.
    /// </summary>
    public Tensor Exact(Tensor input)
    {
        using var scope = NewDisposeScope();
        return nn.functional.linear(MixedPrecision.Widen(input), weight, bias).MoveToOuterDisposeScope();
    }
}
