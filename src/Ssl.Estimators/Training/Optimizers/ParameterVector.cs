using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Optimizers;

/// <summary>
/// Parameters of one type on one device, behind each other in one vector of which each is a part, and AdamW's state beside it. One call
/// then updates many parameters: on a GPU a small network's step is bound by the number of calls, not by their size.
/// </summary>
/// <remarks>
/// In mixed precision a second vector holds the same values in bfloat16, rounded by one call a step. What computes takes its parts, which get
/// gradients of their own in bfloat16: no weight is rounded where it is used, and no gradient on its way back.
/// </remarks>
internal sealed class ParameterVector : IDisposable
{
    // Parts begin where a matrix product reads fastest, 128 bytes of bfloat16 apart.
    private const long Alignment = 64;

    private readonly List<Place> _parts = [];
    private readonly List<Place> _present = [];
    private readonly Dictionary<nint, Place> _places = [];
    private readonly Dictionary<(long Length, ScalarType Type), Tensor> _gaps = [];
    private readonly Tensor _values, _average, _squareAverage;
    private Tensor? _rounded;

    private ParameterVector(IEnumerable<AdamWParameter> parameters)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long end = 0;
        // Those that are updated alike next to each other.
        foreach (AdamWParameter parameter in parameters.OrderBy(p => p.Decays).ThenBy(p => p.Rate.Scale).ThenBy(p => p.Rate.IsConstant))
        {
            var place = new Place(parameter, end, parameter.Value.NumberOfElements);
            _parts.Add(place);
            _places.Add(parameter.Value.Handle, place);
            end += place.Space;
        }
        Tensor like = _parts[0].Parameter.Value;
        _values = zeros(end, dtype: like.dtype, device: like.device).DetachFromDisposeScope();
        _average = zeros_like(_values).DetachFromDisposeScope();
        _squareAverage = zeros_like(_values).DetachFromDisposeScope();
        foreach (Place part in _parts)
            part.Parameter.MoveInto(part.Of(_values), part.Of(_average), part.Of(_squareAverage));
    }

    /// <summary>Moves parameters and their state into vectors, one for each type and device.</summary>
    public static ParameterVector[] Join(IEnumerable<AdamWParameter> parameters)
        => [.. parameters.GroupBy(p => (p.Value.dtype, p.Value.device_type, p.Value.device_index)).Select(alike => new ParameterVector(alike))];

    /// <summary>
    /// A parameter in bfloat16, of its shape, as <see cref="Round"/> last rounded it; the vector's. It gets a gradient of its own. Null for a
    /// parameter of another vector.
    /// </summary>
    public Tensor? Rounded(Parameter parameter)
    {
        if (!_places.TryGetValue(parameter.Handle, out Place? part))
            return null;
        if (part.Rounded is null)
        {
            using var noGrad = no_grad();
            using var scope = NewDisposeScope();
            _rounded ??= _values.to(ScalarType.BFloat16).DetachFromDisposeScope();
            part.Rounded = part.Of(_rounded).view(parameter.shape).detach().requires_grad_().DetachFromDisposeScope();
        }
        return part.Rounded;
    }

    /// <summary>Brings the parameters in bfloat16, where there are any, to what the parameters are now.</summary>
    public void Round()
    {
        using var noGrad = no_grad();
        _rounded?.copy_(_values);
    }

    /// <summary>
    /// The gradients of the parameters that have one, behind each other, in the current dispose scope; null where none has. It is these
    /// parameters that <see cref="Update"/> changes.
    /// </summary>
    public Tensor? TakeGradient()
    {
        _present.Clear();
        var stretches = new List<Tensor>();         // neighbors of one type
        var gradients = new List<Tensor>(_parts.Count);
        foreach (Place part in _parts)
        {
            if (part.TakeGradient() is not { } gradient)
                continue;
            if (gradients.Count > 0 && gradients[0].dtype != gradient.dtype)
                EndStretch();
            _present.Add(part);
            gradients.Add(gradient.ndim == 1 ? gradient : gradient.reshape(-1));
            if (part.Space > part.Length)
                gradients.Add(Gap(part.Space - part.Length, gradient.dtype));
        }
        EndStretch();
        return stretches.Count > 1 ? cat(stretches) : stretches.FirstOrDefault();

        void EndStretch()
        {
            if (gradients.Count > 0)
                stretches.Add(cat(gradients).to(_values.dtype));
            gradients.Clear();
        }
    }

    /// <summary>Forgets the gradients that parameters in bfloat16 got in the step.</summary>
    public void ZeroRoundedGradients()
    {
        foreach (Place part in _parts)
            part.Rounded?.grad = null;
    }

    /// <summary>Updates the parameters whose gradients were taken, and their state.</summary>
    /// <param name="gradient">What <see cref="TakeGradient"/> gave, clipped.</param>
    /// <param name="next">Counts a parameter's step and gives the numbers of its update.</param>
    public void Update(Tensor gradient, Func<AdamWParameter, AdamWUpdate> next)
    {
        using var scope = NewDisposeScope();
        AdamWUpdate[] updates = [.. _present.Select(part => next(part.Parameter))];
        foreach (Run run in Runs(updates, update => update.Keep))
        {
            if (updates[run.First].Keep != 1)
                Part(_values, run.Start, run.Length).mul_(Number(updates[run.First].Keep));
        }
        foreach (Run run in Runs(updates, update => update with { Keep = 1 }))
        {
            AdamWUpdate update = updates[run.First];
            Tensor gradients = Part(gradient, run.GradientStart, run.Length);
            Tensor average = Part(_average, run.Start, run.Length).mul_(Number(update.Beta1)).add_(gradients, Number(1 - update.Beta1));
            Tensor squareAverage = Part(_squareAverage, run.Start, run.Length).mul_(Number(update.Beta2))
                .addcmul_(gradients, gradients, Number(1 - update.Beta2));
            // Root and epsilon by one factor less: m / (sqrt(v) r + e) = m / r / (sqrt(v) + e / r).
            Tensor denominator = squareAverage.sqrt().add_(Number(update.Epsilon / update.RootScale), One);
            Part(_values, run.Start, run.Length).addcdiv_(average, denominator, Number(-update.StepSize / update.RootScale));
        }
    }

    /// <summary>Gives parameters memory of their own again: none of them keeps the vector of all.</summary>
    public static void Separate(IEnumerable<Parameter> parameters)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (Parameter parameter in parameters)
            parameter.set_(parameter.clone());
    }

    /// <summary>Frees the vectors; the parameters stay, in memory of their own.</summary>
    public void Dispose()
    {
        Separate(_parts.Select(part => part.Parameter.Value));
        foreach (Place part in _parts)
            part.Rounded?.Dispose();
        foreach (Tensor gap in _gaps.Values)
            gap.Dispose();
        _rounded?.Dispose();
        _values.Dispose();
        _average.Dispose();
        _squareAverage.Dispose();
    }

    // Neighbors of which the same holds are one.
    private List<Run> Runs<T>(AdamWUpdate[] updates, Func<AdamWUpdate, T> what)
    {
        var runs = new List<Run>();
        long gradientEnd = 0;
        for (int i = 0; i < updates.Length; i++)
        {
            Place part = _present[i];
            if (runs.Count > 0 && runs[^1] is var last && last.Start + last.Length == part.Start
                && EqualityComparer<T>.Default.Equals(what(updates[last.First]), what(updates[i])))
            {
                runs[^1] = last with { Length = last.Length + part.Space };
            }
            else
            {
                runs.Add(new Run(i, part.Start, gradientEnd, part.Space));
            }
            gradientEnd += part.Space;
        }
        return runs;
    }

    // What stands between a part and the next: no gradient.
    private Tensor Gap(long length, ScalarType type)
    {
        if (!_gaps.TryGetValue((length, type), out Tensor? gap))
            _gaps[(length, type)] = gap = zeros(length, dtype: type, device: _values.device).DetachFromDisposeScope();
        return gap;
    }

    private static Tensor Part(Tensor vector, long start, long length)
        => length == vector.shape[0] ? vector : vector.narrow(0, start, length);

    // Where a parameter stands.
    private sealed class Place(AdamWParameter parameter, long start, long length)
    {
        public AdamWParameter Parameter => parameter;

        public long Start => start;

        public long Length => length;

        /// <summary>With what is free up to the next one.</summary>
        public long Space { get; } = (length + Alignment - 1) / Alignment * Alignment;

        public Tensor? Rounded { get; set; }

        public Tensor Of(Tensor vector) => vector.narrow(0, start, length);

        /// <summary>What the step gave the parameter and its rounded form; null where it gave neither anything.</summary>
        public Tensor? TakeGradient() => (parameter.Value.grad, Rounded?.grad) switch
        {
            ({ } exact, { } rounded) => exact.add(rounded, One),
            var (exact, rounded) => exact ?? rounded,
        };
    }

    private readonly record struct Run(int First, long Start, long GradientStart, long Length);
}
