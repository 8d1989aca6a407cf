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
/// state (<see cref="AdamWKernel"/>), spread over the cores; elsewhere tensor operations in place that never wait for the device.
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

    /// <summary>Makes an optimizer over all parameters that want gradients.</summary>
    /// <param name="named">Parameters with their names; those that do not require gradients are left out, doubles taken once.</param>
    /// <param name="weightDecay">Decoupled decay, at least 0.</param>
    /// <param name="beta1">Decay of the gradient average.</param>
    /// <param name="beta2">Decay of the squared-gradient average.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="rate">How fast the parameter of a name learns; null for all alike.</param>
    /// <param name="peak">The learning rate of parameters whose rate is constant; null takes the step's for them, too.</param>
    public AdamWOptimizer(IEnumerable<(string Name, Parameter Value)> named, double weightDecay, double beta1 = 0.9,
        double beta2 = 0.999, double epsilon = 1e-8, Func<string, ParameterRate>? rate = null, double? peak = null)
    {
        (_weightDecay, _beta1, _beta2, _epsilon, _peak) = (weightDecay, beta1, beta2, epsilon, peak);
        _parameters = [.. named.Where(item => item.Value.requires_grad)
            .DistinctBy(item => item.Value.Handle) // a module that is reachable by two names is trained once
            .Select(item => new AdamWParameter(item.Name, item.Value, rate?.Invoke(item.Name) ?? ParameterRate.Plain))];
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
        var active = new List<AdamWParameter>(_parameters.Length);
        var gradients = new List<Tensor>(_parameters.Length);
        var inMemory = true;
        foreach (AdamWParameter parameter in _parameters)
        {
            if (parameter.Value.grad is not { } gradient)
                continue;
            active.Add(parameter);
            gradients.Add(gradient.is_contiguous() ? gradient : gradient.contiguous());
            inMemory &= AdamWKernel.Handles(parameter.Value);
        }
        if (active.Count == 0)
            return null;
        Tensor? norm = inMemory
            ? StepInMemory(active, gradients, learningRate, clipNorm)
            : StepOnDevice(active, gradients, learningRate, clipNorm);
        return norm?.MoveToOuterDisposeScope();
    }

    private Tensor? StepInMemory(List<AdamWParameter> parameters, List<Tensor> gradients, double learningRate, double clipNorm)
    {
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

    private Tensor? StepOnDevice(List<AdamWParameter> parameters, List<Tensor> gradients, double learningRate, double clipNorm)
    {
        Tensor? norm = null;
        if (clipNorm > 0)
        {
            norm = stack(gradients.Select(gradient => gradient.to(ScalarType.Float32).norm())).norm(); // scalar
            Tensor factor = (Number(clipNorm) / (norm.add(Number(1e-6), One))).clamp_max_(Number(1.0));
            foreach (Tensor gradient in gradients)
                gradient.mul_(factor);
        }
        for (int i = 0; i < gradients.Count; i++)
        {
            AdamWParameter parameter = parameters[i];
            Tensor gradient = gradients[i];
            AdamWUpdate update = NextUpdate(parameter, learningRate, 1);
            if (update.Keep != 1)
                parameter.Value.mul_(Number(update.Keep));
            parameter.Average.mul_(Number(_beta1)).add_(gradient, Number(1 - _beta1));
            parameter.SquareAverage.mul_(Number(_beta2)).addcmul_(gradient, gradient, Number(1 - _beta2));
            using Tensor denominator = parameter.SquareAverage.sqrt();
            denominator.mul_(Number(update.RootScale)).add_(Number(_epsilon), One);
            parameter.Value.addcdiv_(parameter.Average, denominator, Number(-update.StepSize));
        }
        return norm;
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
        foreach (AdamWParameter parameter in _parameters)
            parameter.Dispose();
    }
}
