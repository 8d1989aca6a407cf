using System.Runtime.InteropServices;
using Ssl.Estimators.Native;
using TorchSharp;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Ssl.Estimators.Training;

/// <summary>What a run says of the memory it computes in.</summary>
internal static class DeviceMemory
{
    private const double GiB = 1L << 30;

    /// <summary>How much of a GPU's memory is in use, for the log; null on a CPU, or where the driver does not say.</summary>
    /// <remarks>Torch keeps what it once took: at the end of a run it is the run's peak, with what other processes have.</remarks>
    public static string? Describe(Device device) => device.type == DeviceType.CUDA && CudaDriver.Memory(device.index) is var (used, all)
        ? Invariant($"GPU memory taken: {used / GiB:0.0} of {all / GiB:0.0} GiB, that of other processes included") : null;

    /// <summary>Whether torch found no memory for a tensor, on a GPU or in the machine's own memory.</summary>
    public static bool IsExhausted(Exception fault) => fault is OutOfMemoryException || fault is ExternalException
        && (fault.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase)
            || fault.Message.Contains("can't allocate memory", StringComparison.OrdinalIgnoreCase));

    /// <summary>The sentence about it: what to lower.</summary>
    /// <param name="fault">What torch threw.</param>
    /// <param name="device">Where.</param>
    /// <param name="settings">Of the run.</param>
    public static InvalidOperationException Explain(Exception fault, Device device, TrainingSettings settings)
        => new(Invariant($"The memory of {TorchDevice.Describe(device)} is too small for a step of {settings.BatchSize} rows. Lower BatchSize, ")
            + (settings.MixedPrecision ? "" : "set MixedPrecision to true, ") + "take a smaller encoder, or shorten what a row holds. "
            + $"Torch says: {fault.Message.Split('\n')[0]}", fault);
}
