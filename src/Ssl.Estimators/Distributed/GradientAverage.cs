using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Ssl.Estimators.Distributed;

/// <summary>
/// The mean of all processes' gradients: they lie behind each other in one vector, with a mark for each parameter that has one and the loss at its
/// end, which travels in buckets.
/// </summary>
/// <remarks>A parameter without a gradient in some process counts there as one of zeros; one without in all of them keeps none.</remarks>
/// <param name="group">Who takes part.</param>
/// <param name="parameters">Those that are trained, in the same order everywhere.</param>
internal sealed class GradientAverage(ProcessGroup group, IEnumerable<Parameter> parameters) : IDisposable
{
    // 4 MiB: small enough that sending begins early, large enough that its start does not count.
    private const long BucketSize = 1 << 20;

    private readonly Parameter[] _parameters = [.. parameters.Where(parameter => parameter.requires_grad)];
    private Tensor? _vector;

    /// <summary>Averages the gradients, in place of which the means stand afterwards.</summary>
    /// <param name="loss">This process's loss, a scalar.</param>
    /// <returns>The mean of the losses.</returns>
    public double Average(Tensor loss)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        long values = _parameters.Sum(parameter => parameter.numel()), length = values + _parameters.Length + 1;
        Device device = loss.device;
        _vector ??= empty(length, dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
        long end = 0;
        var marks = new float[_parameters.Length + 1];
        for (int i = 0; i < _parameters.Length; i++)
        {
            Tensor place = _vector.narrow(0, end, _parameters[i].numel());
            if (_parameters[i].grad is { } gradient)
            {
                place.copy_(gradient.reshape(-1));
                marks[i] = 1;
            }
            else
            {
                place.zero_();
            }
            end += _parameters[i].numel();
        }
        Tensor tail = _vector.narrow(0, end, marks.Length);
        tail.copy_(tensor(marks));
        tail.narrow(0, _parameters.Length, 1).copy_(loss.detach().reshape(1));
        Reduce(values);
        _vector.div_(Number((double)group.Count));
        float[] present = MemoryMarshal.Cast<byte, float>(tail.cpu().bytes).ToArray();
        end = 0;
        for (int i = 0; i < _parameters.Length; i++)
        {
            Parameter parameter = _parameters[i];
            if (present[i] > 0)
                parameter.grad = _vector.narrow(0, end, parameter.numel()).view(parameter.shape).to(parameter.dtype).DetachFromDisposeScope();
            end += parameter.numel();
        }
        return present[^1];
    }

    /// <inheritdoc/>
    public void Dispose() => _vector?.Dispose();

    private void Reduce(long values)
    {
        long length = _vector!.numel();
        Tensor onHost = _vector.device_type == DeviceType.CPU ? _vector : _vector.cpu();
        for (long start = 0; start < values; start += BucketSize)
        {
            Tensor bucket = onHost.narrow(0, start, Math.Min(BucketSize, values - start));
            if (group.CompressesGradients)
                group.Communicator.SumRounded(bucket);
            else
                group.Communicator.Sum(bucket);
        }
        // Marks and loss are not rounded.
        group.Communicator.Sum(onHost.narrow(0, values, length - values));
        if (!ReferenceEquals(onHost, _vector))
            _vector.copy_(onHost);
    }
}
