using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Whether networks compute in bfloat16 on this thread: products, convolutions, attention and what lies between them. Weights and losses
/// stay Float32; norms and softmax take and give bfloat16 but sum in Float32, inside their kernels.
/// </summary>
/// <remarks>
/// TorchSharp does not offer PyTorch's autocast. As there, the optimizer, moving averages and checkpoints hold exact weights, a step rounds
/// each weight once, and gradients come back as Float32; unlike there, what runs from block to block stays bfloat16, which halves the memory
/// that blocks read and write. bfloat16 has Float32's range: no loss scaling.
/// </remarks>
internal static class MixedPrecision
{
    [ThreadStatic]
    private static Scope? t_scope;

    /// <summary>Whether it is on.</summary>
    public static bool IsOn => t_scope is not null;

    /// <summary>Turns it on until disposed of; null where it is not wanted. Weights must not change meanwhile.</summary>
    /// <param name="wanted">Whether to.</param>
    /// <param name="find">Gives a weight that learns as it was rounded already, null for others.</param>
    public static IDisposable? Begin(bool wanted, Func<Parameter, Tensor?>? find = null) => wanted ? new Scope(find) : null;

    /// <summary>The values that a product takes: rounded to bfloat16 where it is on; a weight once for all that use it.</summary>
    public static Tensor Round(Tensor values)
    {
        if (t_scope is null || values.dtype == ScalarType.BFloat16)
            return values;
        return values is Parameter weight ? t_scope.Rounded(weight) : values.to(ScalarType.BFloat16);
    }

    /// <summary>Float32 again: what a network gives and losses are computed of.</summary>
    public static Tensor Widen(Tensor values) => values.dtype == ScalarType.BFloat16 ? values.to(ScalarType.Float32) : values;

    /// <summary>A linear layer with these weights.</summary>
    public static Tensor Linear(Tensor input, Tensor weight, Tensor? bias)
    {
        if (!IsOn)
            return nn.functional.linear(input, weight, bias);
        using var scope = NewDisposeScope();
        return nn.functional.linear(Round(input), Round(weight), bias is null ? null : Round(bias)).MoveToOuterDisposeScope();
    }

    private sealed class Scope : IDisposable
    {
        private readonly Scope? _before = t_scope;
        private readonly Dictionary<nint, Tensor> _rounded = [];

        private readonly Func<Parameter, Tensor?>? _find;

        public Scope(Func<Parameter, Tensor?>? find) => (_find, t_scope) = (find, this);

        public Tensor Rounded(Parameter weight)
        {
            if (_rounded.TryGetValue(weight.Handle, out var known))
                return known;
            if (weight.requires_grad && _find?.Invoke(weight) is { } found)
                return found;
            var rounded = weight.to(ScalarType.BFloat16);
            // Without a graph behind it, it must not be lent to a pass that learns.
            if (is_grad_enabled() || !weight.requires_grad)
                _rounded.Add(weight.Handle, rounded.DetachFromDisposeScope());
            return rounded;
        }

        public void Dispose()
        {
            foreach (var rounded in _rounded.Values)
                rounded.Dispose();
            t_scope = _before;
        }
    }
}
