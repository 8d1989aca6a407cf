using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators.Encoders;

/// <summary>Copies of a batch's tensors on another device.</summary>
internal static class DeviceCopy
{
    /// <summary>The tensor on a device, in the current dispose scope.</summary>
    /// <remarks>
    /// To a GPU it goes through page-locked memory, and the copy takes its place among the device's work: from ordinary memory the calling
    /// thread would wait until all that is done. TorchSharp 0.107 has no streams, so that copies do not overtake computations.
    /// </remarks>
    public static Tensor Of(Tensor tensor, Device device)
    {
        if (device.type != DeviceType.CUDA || tensor.device_type != DeviceType.CPU)
            return tensor.to(device);
        // The native allocator gives locked memory out again only after the copies from it are done.
        using Tensor locked = tensor.pin_memory();
        return locked.to(device, non_blocking: true);
    }
}
