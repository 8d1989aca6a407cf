using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>
/// Tensors of arrays that never change, made once for each device: a copy in every step would wait for a GPU. They live as long as their
/// array does, which is their owner's field, and must be neither changed nor disposed of.
/// </summary>
internal static class Constants
{
    private static readonly ConditionalWeakTable<Array, ConcurrentDictionary<(DeviceType, int), Tensor>> s_tensors = [];

    /// <summary>The array as Float32 on a device.</summary>
    public static Tensor On(Device device, float[] values) => On(device, values, () => tensor(values, dtype: ScalarType.Float32));

    /// <summary>The array as Int64 on a device.</summary>
    public static Tensor On(Device device, long[] values) => On(device, values, () => tensor(values, dtype: ScalarType.Int64));

    /// <summary>The array as Bool on a device.</summary>
    public static Tensor On(Device device, bool[] values) => On(device, values, () => tensor(values, dtype: ScalarType.Bool));

    private static Tensor On(Device device, Array values, Func<Tensor> create)
        => s_tensors.GetOrCreateValue(values).GetOrAdd((device.type, device.index), _ =>
        {
            using var scope = NewDisposeScope();
            return create().to(device).DetachFromDisposeScope();
        });
}
