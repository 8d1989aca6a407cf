using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Whether products and convolutions of image networks compute in bfloat16 on this thread; weights, norms, softmax and losses stay Float32.
/// </summary>
/// <remarks>
/// As PyTorch's autocast does it, which TorchSharp does not offer: weights are rounded when they are used, so that the optimizer, moving
/// averages and checkpoints hold the exact ones, and gradients come back as Float32. bfloat16 has Float32's range: no loss scaling.
/// </remarks>
internal static class MixedPrecision
{
    [ThreadStatic]
    private static bool t_isOn;

    /// <summary>Whether it is on.</summary>
    public static bool IsOn => t_isOn;

    /// <summary>Turns it on until disposed of; null where it is not wanted.</summary>
    public static IDisposable? Begin(bool wanted)
    {
        if (!wanted)
            return null;
        t_isOn = true;
        return new Scope();
    }

    /// <summary>The values that a product takes: rounded to bfloat16 where it is on.</summary>
    public static Tensor Round(Tensor values) => t_isOn ? values.to(ScalarType.BFloat16) : values;

    /// <summary>A linear layer.</summary>
    public static Tensor Linear(Linear layer, Tensor input) => t_isOn ? Linear(input, layer.weight!, layer.bias) : layer.call(input);

    /// <summary>A linear layer with these weights.</summary>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias)
        => nn.functional.linear(Round(input), Round(weight), bias is null ? null : Round(bias));

    private sealed class Scope : IDisposable
    {
        public void Dispose() => t_isOn = false;
    }
}
