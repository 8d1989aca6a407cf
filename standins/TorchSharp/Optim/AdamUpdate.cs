using TorchSharp.Modules;
using TorchSharp.Native;
using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>
/// The step of Adam and AdamW over many parameters: on the CPU in one native pass over each, elsewhere by operators
/// over lists of tensors.
/// </summary>
internal static unsafe class AdamUpdate
{
    internal sealed record Settings(
        double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, bool Decoupled, bool Amsgrad, bool Maximize);

    internal interface IMoments
    {
        ref long Step { get; }

        Tensor Mean { get; }

        Tensor Square { get; }

        Tensor? Largest { get; }
    }

    public static void Run(Parameter[] parameters, IMoments[] states, Settings settings)
    {
        if (settings is { Amsgrad: false, Maximize: false } && OnePass(parameters, states, settings)) return;
        var (values, grads, active) = (new List<Tensor>(), new List<Tensor>(), new List<IMoments>());
        for (var k = 0; k < parameters.Length; k++)
        {
            if (parameters[k].grad is not { } grad) continue;
            values.Add(parameters[k]);
            grads.Add(grad);
            active.Add(states[k]);
            states[k].Step++;
        }
        if (values.Count == 0) return;
        ByLists([.. values], [.. grads], [.. active], settings);
    }

    private static bool OnePass(Parameter[] parameters, IMoments[] states, Settings settings)
    {
        var count = parameters.Length;
        var (values, means, squares, steps) = (new nint[count], new nint[count], new nint[count], new long[count]);
        for (var k = 0; k < count; k++)
        {
            values[k] = parameters[k].Handle;
            means[k] = states[k].Mean.Handle;
            squares[k] = states[k].Square.Handle;
            steps[k] = states[k].Step;
        }
        var native = new NativeMethods.AdamStep
        {
            LearningRate = settings.LearningRate, Beta1 = settings.Beta1, Beta2 = settings.Beta2, Epsilon = settings.Epsilon,
            WeightDecay = settings.WeightDecay, Decoupled = settings.Decoupled ? 1 : 0,
        };
        int status;
        fixed (nint* v = values, m = means, s = squares)
        fixed (long* n = steps)
        {
            status = NativeMethods.ssl_adam(v, m, s, n, count, &native);
        }
        GC.KeepAlive(parameters);
        GC.KeepAlive(states);
        NativeMethods.Check(status);
        if (status != 0) return false;
        for (var k = 0; k < count; k++) states[k].Step = steps[k];
        return true;
    }

    private static void ByLists(Tensor[] values, Tensor[] grads, IMoments[] states, Settings s)
    {
        var means = Array.ConvertAll(states, state => state.Mean);
        var squares = Array.ConvertAll(states, state => state.Square);
        if (s.Maximize) grads = Ops._foreach_neg.CallList(grads);
        if (s.WeightDecay != 0)
        {
            if (s.Decoupled) Ops._foreach_mul__Scalar.Run(values, 1 - s.LearningRate * s.WeightDecay);
            else grads = Ops._foreach_add_List.CallList(grads, values, s.WeightDecay);
        }
        Ops._foreach_mul__Scalar.Run(means, s.Beta1);
        Ops._foreach_add__List.Run(means, grads, 1 - s.Beta1);
        Ops._foreach_mul__Scalar.Run(squares, s.Beta2);
        Ops._foreach_addcmul__Scalar.Run(squares, grads, grads, 1 - s.Beta2);
        var roots = squares;
        if (s.Amsgrad)
        {
            roots = Array.ConvertAll(states, state => state.Largest!);
            for (var k = 0; k < roots.Length; k++)
            {
                using var larger = roots[k].maximum(squares[k]);
                roots[k].copy_(larger);
            }
        }
        var denominators = Ops._foreach_sqrt.CallList([roots]);
        // Parameters that began later have other corrections, so each has its own factor.
        var (scales, steps) = (new double[states.Length], new double[states.Length]);
        for (var k = 0; k < states.Length; k++)
        {
            scales[k] = Math.Sqrt(1 - Math.Pow(s.Beta2, states[k].Step));
            steps[k] = -s.LearningRate / (1 - Math.Pow(s.Beta1, states[k].Step));
        }
        Ops._foreach_div__ScalarList.Run(denominators, scales);
        Ops._foreach_add__Scalar.Run(denominators, s.Epsilon);
        Ops._foreach_addcdiv__ScalarList.Run(values, means, denominators, steps);
    }
}
