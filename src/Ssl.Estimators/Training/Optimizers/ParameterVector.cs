using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Optimizers;

/// <summary>
/// Parameters of one type on one device, behind each other in one vector of which each is a part, and AdamW's state beside it. One call
/// then updates many parameters: on a GPU a small network's step is bound by the number of calls, not by their size.
/// </summary>
internal sealed class ParameterVector : IDisposable
{
    private readonly List<Place> _parts = [];
    private readonly List<Place> _present = [];
    private readonly Tensor _values, _average, _squareAverage;
    private readonly Tensor? _rounded;

    private ParameterVector(IEnumerable<AdamWParameter> parameters, bool rounds)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        long end = 0;
        // Those that are updated alike next to each other.
        foreach (AdamWParameter parameter in parameters.OrderBy(p => p.Decays).ThenBy(p => p.Rate.Scale).ThenBy(p => p.Rate.IsConstant))
        {
            _parts.Add(new Place(parameter, end, parameter.Value.NumberOfElements));
            end += parameter.Value.NumberOfElements;
        }
        Tensor like = _parts[0].Parameter.Value;
        _values = zeros(end, dtype: like.dtype, device: like.device).DetachFromDisposeScope();
        _average = zeros_like(_values).DetachFromDisposeScope();
        _squareAverage = zeros_like(_values).DetachFromDisposeScope();
        foreach (var part in _parts)
            part.Parameter.MoveInto(part.Of(_values), part.Of(_average), part.Of(_squareAverage));
        if (!rounds)
            return;
        _rounded = _values.to(ScalarType.BFloat16).DetachFromDisposeScope();
        foreach (var part in _parts)
            part.Rounded = part.Of(_rounded).view(part.Parameter.Value.shape).detach().requires_grad_().DetachFromDisposeScope();
    }

    /// <summary>The parameters and their copies in bfloat16; none where they are not rounded.</summary>
    public IEnumerable<(Parameter Value, Tensor Rounded)> RoundedParameters
        => _parts.Where(part => part.Rounded is not null).Select(part => (part.Parameter.Value, part.Rounded!));

    /// <summary>Moves parameters and their state into vectors, one for each type and device.</summary>
    public static ParameterVector[] Join(IEnumerable<AdamWParameter> parameters, bool rounds)
        => [.. parameters.GroupBy(p => (p.Value.dtype, p.Value.device_type, p.Value.device_index))
            .Select(alike => new ParameterVector(alike, rounds))];

    /// <summary>Brings the copies in bfloat16 to the values of now.</summary>
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
        // Neighbors in bfloat16 become exact in one call.
        var sections = new List<Tensor>();
        var section = new List<Tensor>(_parts.Count);
        bool isRounded = false;
        foreach (var part in _parts)
        {
            if (part.Gradient() is not var (gradient, rounded))
                continue;
            if (rounded != isRounded)
                Close();
            isRounded = rounded;
            _present.Add(part);
            section.Add(gradient.ndim == 1 ? gradient : gradient.reshape(-1));
        }
        Close();
        return sections.Count switch { 0 => null, 1 => sections[0], _ => cat(sections) };

        void Close()
        {
            if (section.Count > 0)
                sections.Add(isRounded ? cat(section).to(_values.dtype) : cat(section));
            section.Clear();
        }
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
        foreach (var part in _parts)
            part.Rounded?.Dispose();
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
            (_, long start, long length) = _present[i];
            if (runs.Count > 0 && runs[^1] is var last && last.Start + last.Length == start
                && EqualityComparer<T>.Default.Equals(what(updates[last.First]), what(updates[i])))
            {
                runs[^1] = last with { Length = last.Length + length };
            }
            else
            {
                runs.Add(new Run(i, start, gradientEnd, length));
            }
            gradientEnd += length;
        }
        return runs;
    }

    private static Tensor Part(Tensor vector, long start, long length)
        => length == vector.shape[0] ? vector : vector.narrow(0, start, length);

    // A parameter's place.
    private sealed record Place(AdamWParameter Parameter, long Start, long Length)
    {
        // Its copy in bfloat16, where there is one.
        public Tensor? Rounded { get; set; }

        public Tensor Of(Tensor vector) => vector.narrow(0, Start, Length);

        // A network may use the exact parameter, its copy, or both.
        public (Tensor Value, bool IsRounded)? Gradient()
        {
            Tensor? exact = Parameter.Value.grad, rounded = Rounded?.grad;
            if (rounded is null)
                return exact is null ? null : (exact, false);
            return exact is null ? (rounded, true) : (exact.add(rounded, One), false);
        }
    }

    private readonly record struct Run(int First, long Start, long GradientStart, long Length);
}
