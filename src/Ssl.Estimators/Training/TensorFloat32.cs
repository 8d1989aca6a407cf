using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>Lets a GPU round what products and convolutions in Float32 take, until disposed of; then it is as it was before.</summary>
internal sealed class TensorFloat32 : IDisposable
{
    private readonly bool _convolutions = backends.cudnn.allow_tf32, _products = backends.cuda.matmul.allow_tf32;

    private TensorFloat32() => Allow(true, true);

    /// <summary>Allows it; null where it is not wanted or changes nothing.</summary>
    public static IDisposable? Begin(bool wanted, Device device) => wanted && device.type == DeviceType.CUDA ? new TensorFloat32() : null;

    /// <inheritdoc/>
    public void Dispose() => Allow(_convolutions, _products);

    private static void Allow(bool convolutions, bool products)
        => (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32) = (convolutions, products);
}
