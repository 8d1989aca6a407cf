using TorchSharp;
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
    private readonly Dictionary<nint, Tensor>? _rounded;

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
    /// <param name="rounds">Whether joined parameters have a copy in bfloat16: <see cref="RoundWeights"/>.</param>
    public AdamWOptimizer(IEnumerable<(string Name, Parameter Value)> named, double weightDecay, double beta1 = 0.9,
        double beta2 = 0.999, double epsilon = 1e-8, Func<string, ParameterRate>? rate = null, double? peak = null, bool? joins = null,
        bool rounds = false)
    {
        (_weightDecay, _beta1, _beta2, _epsilon, _peak) = (weightDecay, beta1, beta2, epsilon, peak);
        _parameters = [.. named.Where(item => item.Value.requires_grad)
            .DistinctBy(item => item.Value.Handle) // a module that is reachable by two names is trained once
            .Select(item => new AdamWParameter(item.Name, item.Value, rate?.Invoke(item.Name) ?? ParameterRate.Plain))];
        if (joins ?? !_parameters.All(parameter => AdamWKernel.Handles(parameter.Value)))
            _vectors = ParameterVector.Join(_parameters, rounds);
        if (_vectors is not null && rounds)
            _rounded = _vectors.SelectMany(vector => vector.RoundedParameters).ToDictionary(item => item.Value.Handle, item => item.Rounded);
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

    /// <summary>
    /// The parameters in bfloat16 as they now are, by the handle of the exact one: leaves whose gradients <see cref="Step"/> takes, too.
    /// One call rounds all of them, where a network that rounds each by itself makes two for each, one of them on the way back.
    /// </summary>
    /// <returns>Null where parameters are not joined or are not to be rounded.</returns>
    public IReadOnlyDictionary<nint, Tensor>? RoundWeights()
    {
        if (_rounded is not null)
        {
            foreach (ParameterVector vector in _vectors!)
                vector.Round();
        }
        return _rounded;
    }

    /// <summary>Forgets the gradients of the step; a walk through the module would look at every layer.</summary>
    public void ZeroGradients()
    {
        foreach (AdamWParameter parameter in _parameters)
            parameter.Value.grad = null;
        foreach (Tensor rounded in _rounded?.Values ?? Enumerable.Empty<Tensor>())
            rounded.grad = null;
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
