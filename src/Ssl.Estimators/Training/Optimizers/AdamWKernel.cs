using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training.Optimizers;

/// <summary>The numbers of one parameter's update: p = p * Keep - StepSize * m / (sqrt(v) * RootScale + Epsilon).</summary>
internal readonly record struct AdamWUpdate(double Keep, double GradientScale, double Beta1, double Beta2, double RootScale,
    double Epsilon, double StepSize);

/// <summary>AdamW in one pass over main memory: float32 parameters on the CPU, cut in chunks that the cores share.</summary>
/// <remarks>Chunks have a fixed size and their sums are added in order, so the result does not depend on the number of cores.</remarks>
internal sealed class AdamWKernel
{
    private const int ChunkLength = 1 << 15;

    // Below this many elements starting a second thread costs more than it saves.
    private const long SerialLength = 1 << 17;

    private readonly List<AdamWParameter> _parameters;
    private readonly List<Tensor> _gradients;
    private readonly List<(int Parameter, int Start, int Length)> _chunks = [];
    private readonly bool _serial;

    /// <summary>Prepares one step.</summary>
    /// <param name="parameters">Parameters that <see cref="Handles"/> accepts.</param>
    /// <param name="gradients">Their gradients, contiguous, in the same order.</param>
    public AdamWKernel(List<AdamWParameter> parameters, List<Tensor> gradients)
    {
        (_parameters, _gradients) = (parameters, gradients);
        long total = 0;
        for (int i = 0; i < parameters.Count; i++)
        {
            int length = checked((int)parameters[i].Value.NumberOfElements);
            total += length;
            for (int start = 0; start < length; start += ChunkLength)
                _chunks.Add((i, start, Math.Min(ChunkLength, length - start)));
        }
        _serial = total <= SerialLength;
    }

    /// <summary>Whether a parameter can be updated in memory: float32, contiguous, on the CPU, under 2 GB.</summary>
    public static bool Handles(Tensor parameter)
        => parameter.device_type == DeviceType.CPU && parameter.dtype == ScalarType.Float32
            && parameter.NumberOfElements <= int.MaxValue / sizeof(float) && parameter.is_contiguous();

    /// <summary>Euclidean norm of all gradients together, summed in double precision.</summary>
    public double GradientNorm()
    {
        var sums = new double[_chunks.Count];
        Run(chunk =>
        {
            (int parameter, int start, int length) = _chunks[chunk];
            sums[chunk] = SquareSum(Floats(_gradients[parameter]).Slice(start, length));
        });
        return Math.Sqrt(sums.Sum());
    }

    /// <summary>Updates parameters and state.</summary>
    /// <param name="updates">One a parameter.</param>
    public void Update(AdamWUpdate[] updates) => Run(chunk =>
    {
        (int index, int start, int length) = _chunks[chunk];
        AdamWParameter parameter = _parameters[index];
        Update(updates[index],
            Floats(parameter.Value).Slice(start, length),
            Floats(_gradients[index]).Slice(start, length),
            Floats(parameter.Average).Slice(start, length),
            Floats(parameter.SquareAverage).Slice(start, length));
    });

    private void Run(Action<int> chunk)
    {
        if (_serial)
        {
            for (int i = 0; i < _chunks.Count; i++)
                chunk(i);
        }
        else
        {
            Parallel.For(0, _chunks.Count, chunk);
        }
    }

    private static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    private static double SquareSum(ReadOnlySpan<float> values)
    {
        var sums = Vector<double>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(values[i..]), out Vector<double> low, out Vector<double> high);
            sums += low * low + high * high;
        }
        double sum = Vector.Sum(sums);
        for (; i < values.Length; i++)
            sum += (double)values[i] * values[i];
        return sum;
    }

    private static void Update(AdamWUpdate update, Span<float> parameter, Span<float> gradient, Span<float> average,
        Span<float> squareAverage)
    {
        float keep = (float)update.Keep, scale = (float)update.GradientScale;
        float beta1 = (float)update.Beta1, rest1 = (float)(1 - update.Beta1);
        float beta2 = (float)update.Beta2, rest2 = (float)(1 - update.Beta2);
        float root = (float)update.RootScale, epsilon = (float)update.Epsilon, size = (float)update.StepSize;
        int width = Vector<float>.Count, i = 0;
        for (; i <= parameter.Length - width; i += width)
        {
            Vector<float> g = new Vector<float>(gradient[i..]) * scale;
            Vector<float> m = new Vector<float>(average[i..]) * beta1 + g * rest1;
            Vector<float> v = new Vector<float>(squareAverage[i..]) * beta2 + g * g * rest2;
            Vector<float> step = m / (Vector.SquareRoot(v) * root + new Vector<float>(epsilon));
            m.CopyTo(average[i..]);
            v.CopyTo(squareAverage[i..]);
            (new Vector<float>(parameter[i..]) * keep - step * size).CopyTo(parameter[i..]);
        }
        for (; i < parameter.Length; i++)
        {
            float g = gradient[i] * scale;
            float m = average[i] = average[i] * beta1 + g * rest1;
            float v = squareAverage[i] = squareAverage[i] * beta2 + g * g * rest2;
            parameter[i] = parameter[i] * keep - m / (MathF.Sqrt(v) * root + epsilon) * size;
        }
    }
}
