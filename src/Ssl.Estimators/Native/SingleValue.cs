using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Ssl.Estimators.Native;

/// <summary>
/// Reading a tensor of one value. TorchSharp's ToSingle and its like read it through a temporary Scalar, which can be freed meanwhile: the process
/// ends then. Its item leaves another handle to a finalizer. Both are banned in this assembly (eng/BannedSymbols.txt).
/// </summary>
internal static class SingleValue
{
    /// <summary>The value; waits for the tensor's device.</summary>
    /// <param name="tensor">Of one element.</param>
    /// <typeparam name="T">The tensor's element type: float, double, long, bool.</typeparam>
    /// <exception cref="ArgumentException">It has another number of elements or another element type.</exception>
    public static T Value<T>(this Tensor tensor) where T : unmanaged
    {
        if (tensor.numel() != 1 || tensor.dtype != TypeOf<T>())
            throw new ArgumentException($"Expected one {TypeOf<T>()}, got {tensor.dtype} [{string.Join(", ", tensor.shape)}].", nameof(tensor));
        using Tensor? copy = tensor.device_type == TorchSharp.DeviceType.CPU ? null : tensor.cpu();
        var value = MemoryMarshal.Read<T>((copy ?? tensor).bytes);
        GC.KeepAlive(tensor);
        return value;
    }

    private static ScalarType TypeOf<T>() => default(T) switch
    {
        float => ScalarType.Float32,
        double => ScalarType.Float64,
        long => ScalarType.Int64,
        bool => ScalarType.Bool,
        _ => throw new NotSupportedException(typeof(T).Name),
    };
}
