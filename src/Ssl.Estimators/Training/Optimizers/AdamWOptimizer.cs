using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Optimizers;

/// <summary>AdamW with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101) and gradient clipping in one step.</summary>
/// <remarks>
/// <para>
/// Numbers agree with torch.optim.AdamW on two groups (decayed matrices, everything else) after torch.nn.utils.clip_grad_norm_.
/// TorchSharp's own optimizer is not used because its state cannot be read and restored by name, and because one pass over the
/// memory is enough: on the CPU the norm is one pass over the gradients and the update one pass over parameter, gradient and
/// state (<see cref="AdamWKernel"/>), spread over the cores; elsewhere a few tensor operations on vectors of many parameters
/// (<see cref="ParameterVector"/>), which never wait for the device.
/// </para>
/// <para>A parameter that has no gradient in a step is left alone, its state included.</para>
/// </remarks>
internal sealed class AdamWOptimizer : IDisposable
{
    private readonly AdamWParameter[] _parameters;
    private readonly double _weightDecay;
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double? _peak;
    private readonly ParameterVector[]? _vectors;

    /// <summary>Makes an optimizer over all parameters that want gradients.</summary>
    /// <param name="named">Parameters with their names; those that do not require gradients are left out, doubles taken once.</param>
    /// <param name="weightDecay">Decoupled decay, at least 0.</param>
    /// <param name="beta1">Decay of the gradient average.</param>
    /// <param name="beta2">Decay of the squared-gradient average.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="rate">How fast the parameter of a name learns; null for all alike.</param>
    /// <param name="peak">The learning rate of parameters whose rate is constant; null takes the step's for them, too.</param>
    /// <param name="joins">
    /// Whether the parameters lie in common vectors until the optimizer is disposed of; null for what is fastest where they are.
    /// </param>
    public AdamWOptimizer(IEnumerable<(string Name, Parameter Value)> named, double weightDecay, double beta1 = 0.9,
        double beta2 = 0.999, double epsilon = 1e-8, Func<string, ParameterRate>? rate = null, double? peak = null, bool? joins = null)
    {
        (_weightDecay, _beta1, _beta2, _epsilon, _peak) = (weightDecay, beta1, beta2, epsilon, peak);
        _parameters = [.. named.Where(item => item.Value.requires_grad)
            .DistinctBy(item => item.Value.Handle) // a module that is reachable by two names is trained once
            .Select(item => new AdamWParameter(item.Name, item.Value, rate?.Invoke(item.Name) ?? ParameterRate.Plain))];
        if (joins ?? !_parameters.All(parameter => AdamWKernel.Handles(parameter.Value)))
            _vectors = ParameterVector.Join(_parameters);
    }

    /// <summary>The parameters and their state, in the module's order.</summary>
    public IReadOnlyList<AdamWParameter> Parameters => _parameters;

    /// <summary>Clips the gradients, updates the parameters.</summary>
    /// <remarks>
    /// The gradients' norm is measured only if <paramref name="clipNorm"/> is above 0. On the CPU a norm that is not finite leaves
    /// parameters and state as they are; on other devices they are then lost, since knowing would mean to wait for the device.
    /// </remarks>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="clipNorm">Largest norm of all gradients together, 0 for no clipping.</param>
    /// <returns>The norm before clipping, a scalar float32 tensor on the parameters' device, or null where it was not measured.</returns>
    public Tensor? Step(double learningRate, double clipNorm)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Tensor? norm = _vectors is null ? StepInMemory(learningRate, clipNorm) : StepInVectors(_vectors, learningRate, clipNorm);
        return norm?.MoveToOuterDisposeScope();
    }

    /// <summary>Rounds the weights for a step in bfloat16, all at once, where they lie in vectors.</summary>
    public void RoundWeights()
    {
        foreach (ParameterVector vector in _vectors ?? [])
            vector.Round();
    }

    /// <summary>A weight as <see cref="RoundWeights"/> rounded it; null where it must be rounded when it is used.</summary>
    public Tensor? Rounded(Parameter weight)
    {
        foreach (ParameterVector vector in _vectors ?? [])
        {
            if (vector.Rounded(weight) is { } rounded)
                return rounded;
        }
        return null;
    }

    /// <summary>Forgets the gradients of the step; a walk through the module would look at every layer.</summary>
    public void ZeroGradients()
    {
        foreach (AdamWParameter parameter in _parameters)
            parameter.Value.grad = null;
        foreach (ParameterVector vector in _vectors ?? [])
            vector.ZeroRoundedGradients();
    }

    private Tensor? StepInMemory(double learningRate, double clipNorm)
    {
        var parameters = new List<AdamWParameter>(_parameters.Length);
        var gradients = new List<Tensor>(_parameters.Length);
        foreach (AdamWParameter parameter in _parameters)
        {
            if (parameter.Value.grad is not { } gradient)
                continue;
            parameters.Add(parameter);
            gradients.Add(gradient.is_contiguous() ? gradient : gradient.contiguous());
        }
        if (parameters.Count == 0)
            return null;
        var kernel = new AdamWKernel(parameters, gradients);
        double? norm = clipNorm > 0 ? kernel.GradientNorm() : null;
        if (norm is null || double.IsFinite(norm.Value))
        {
            var updates = new AdamWUpdate[parameters.Count];
            double scale = norm is { } length ? ClipFactor(length, clipNorm) : 1;
            for (int i = 0; i < updates.Length; i++)
                updates[i] = NextUpdate(parameters[i], learningRate, scale);
            kernel.Update(updates);
        }
        return norm is { } value ? tensor((float)value) : null;
    }

    private Tensor? StepInVectors(ParameterVector[] vectors, double learningRate, double clipNorm)
    {
        var taken = new List<(ParameterVector Vector, Tensor Gradient)>(vectors.Length);
        foreach (ParameterVector vector in vectors)
        {
            if (vector.TakeGradient() is { } gradient)
                taken.Add((vector, gradient));
        }
        Tensor? norm = null;
        if (clipNorm > 0 && taken.Count > 0)
        {
            Tensor[] norms = [.. taken.Select(item => Exact(item.Gradient).norm())];
            norm = norms.Length == 1 ? norms[0] : stack(norms).norm(); // scalar
            Tensor factor = (Number(clipNorm) / (norm.add(Number(1e-6), One))).clamp_max_(Number(1.0));
            foreach ((_, Tensor gradient) in taken)
                gradient.mul_(factor);
        }
        foreach ((ParameterVector vector, Tensor gradient) in taken)
            vector.Update(gradient, parameter => NextUpdate(parameter, learningRate, 1));
        return norm;

        static Tensor Exact(Tensor gradient) => gradient.dtype == ScalarType.Float32 ? gradient : gradient.to(ScalarType.Float32);
    }

    private AdamWUpdate NextUpdate(AdamWParameter parameter, double learningRate, double gradientScale)
    {
        learningRate = parameter.Rate.Scale * (parameter.Rate.IsConstant ? _peak ?? learningRate : learningRate);
        parameter.Steps++;
        return new AdamWUpdate(
            Keep: parameter.Decays ? 1 - learningRate * _weightDecay : 1,
            GradientScale: gradientScale,
            Beta1: _beta1,
            Beta2: _beta2,
            RootScale: 1 / Math.Sqrt(1 - Math.Pow(_beta2, parameter.Steps)),
            Epsilon: _epsilon,
            StepSize: learningRate / (1 - Math.Pow(_beta1, parameter.Steps)));
    }

    // As torch.nn.utils.clip_grad_norm_: never lengthens.
    private static double ClipFactor(double norm, double clipNorm) => Math.Min(1, clipNorm / (norm + 1e-6));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ParameterVector vector in _vectors ?? [])
            vector.Dispose();
        foreach (AdamWParameter parameter in _parameters)
            parameter.Dispose();
    }
}
