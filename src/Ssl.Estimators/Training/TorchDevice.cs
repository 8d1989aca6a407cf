using Ssl.Estimators.Distributed;
using Ssl.Estimators.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Ssl.Estimators;

/// <summary>Chooses the device to compute on, and says what to do where the native library or the GPU is missing.</summary>
public static class TorchDevice
{
    private const string CouldNotLoad = "TorchSharp's native library (libtorch) could not be loaded";

    private static readonly Lock s_threadsLock = new();
    private static bool s_threadsSet;
    private static bool s_computesExactly;
    private static volatile bool s_loads;

    /// <summary>The device for the settings of an <c>MLContext</c>.</summary>
    /// <param name="gpuDeviceId">Number of the CUDA device, from 0; <see langword="null"/> for the CPU.</param>
    /// <param name="fallbackToCpu">Whether the CPU is used, with a warning, where that device is not there.</param>
    /// <param name="warning">Receives the warning; optional.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gpuDeviceId"/> is negative.</exception>
    /// <exception cref="InvalidOperationException">The device, or the native library of TorchSharp, is not there.</exception>
    public static Device Choose(int? gpuDeviceId, bool fallbackToCpu, Action<string>? warning = null)
    {
        RequireNativeLibrary();
        var device = Choose(gpuDeviceId, fallbackToCpu, warning, CudaDeviceCount);
        if (device.type == DeviceType.CUDA)
            ComputeExactly();
        return device;
    }

    /// <summary>What the log says of a device: "cuda:0 (NVIDIA H100 80GB HBM3)".</summary>
    internal static string Describe(Device device)
        => device.type == DeviceType.CUDA && CudaDriver.Name(device.index) is { } name ? $"{device} ({name})" : device.ToString();

    /// <summary>Throws unless networks can compute in bfloat16 there.</summary>
    /// <param name="device">Where.</param>
    /// <exception cref="InvalidOperationException">It is a processor without bfloat16 instructions that are used.</exception>
    internal static void RequireBFloat16(Device device) => RequireBFloat16(device, BFloat16Support.IsUsable);

    internal static void RequireBFloat16(Device device, bool isUsable)
    {
        if (device.type == DeviceType.CPU && !isUsable)
        {
            throw new InvalidOperationException("MixedPrecision is true, but this processor has no instructions for bfloat16 that are used here"
                + " (AVX512-BF16 or AMX of Intel's, BF16 of Arm's): it would be many times slower than Float32. Set MixedPrecision to false, or compute on a GPU.");
        }
    }

    // cuDNN rounds what convolutions take to 10 bits unless told otherwise: a row's embedding would change with its batch in the third digit.
    // Once a process, so that a choice of the application's own made later stands.
    private static void ComputeExactly()
    {
        if (!Interlocked.Exchange(ref s_computesExactly, true))
            (backends.cudnn.allow_tf32, backends.cuda.matmul.allow_tf32) = (false, false);
    }

    internal static Device Choose(int? gpuDeviceId, bool fallbackToCpu, Action<string>? warning, Func<int> cudaDeviceCount)
    {
        if (gpuDeviceId is not { } index)
            return new Device(DeviceType.CPU);
        if (index < 0)
            throw new ArgumentOutOfRangeException("GpuDeviceId", $"GpuDeviceId must be at least 0, got {index}.");
        int count = cudaDeviceCount();
        if (index < count)
            return new Device(DeviceType.CUDA, index);
        string missing = count == 0
            ? $"GpuDeviceId is {index}, but TorchSharp finds no CUDA device."
            : $"GpuDeviceId is {index}, but there are {count} CUDA devices (0 to {count - 1}).";
        if (!fallbackToCpu)
        {
            throw new InvalidOperationException(missing + " Check the NVIDIA driver, reference TorchSharp-cuda-windows or"
                + " TorchSharp-cuda-linux in place of TorchSharp-cpu, set MLContext.GpuDeviceId to null, or set MLContext.FallbackToCpu"
                + " to true.");
        }
        warning?.Invoke(missing + " Computing on the CPU, since FallbackToCpu is true.");
        return new Device(DeviceType.CPU);
    }

    /// <summary>Loads TorchSharp's native library, or says which package is missing.</summary>
    /// <exception cref="InvalidOperationException">The library could not be loaded.</exception>
    public static void RequireNativeLibrary() => RequireNativeLibrary(() =>
    {
        InitializeDeviceType(DeviceType.CPU);
        using Tensor probe = zeros(1, dtype: ScalarType.Float32); // reaches into the library: a wrong one fails here and not in the middle of a run
    });

    internal static void RequireNativeLibrary(Action firstUse)
    {
        if (!s_loads && TorchSharpLibrary.FindFault() is { } found)
            throw new InvalidOperationException($"{CouldNotLoad}: {found}.");
        s_loads = true;
        try
        {
            firstUse();
        }
        catch (Exception failure) when (Unwrap(failure) is DllNotFoundException or NotSupportedException or BadImageFormatException
            or EntryPointNotFoundException)
        {
            if (TorchSharpLibrary.Fault is { } fault)
                throw new InvalidOperationException($"{CouldNotLoad}: {fault}.", failure);
            // TorchSharp's sentence, without its advice for notebooks and its trace of a page.
            throw new InvalidOperationException($"{CouldNotLoad}: {Unwrap(failure).Message.Split(" If using F#")[0].TrimEnd('.')}."
                + " The application's project must reference one of the packages TorchSharp-cpu, TorchSharp-cuda-windows or"
                + $" TorchSharp-cuda-linux, in version {typeof(torch).Assembly.GetName().Version?.ToString(3)}, the version of its TorchSharp."
                , failure);
        }
    }

    /// <summary>
    /// Lets CPU kernels use all cores. Some builds of libtorch start with half of them. Done once a process, and not at all where
    /// OMP_NUM_THREADS is set, so that a choice of the application's own (torch.set_num_threads) made later stands.
    /// </summary>
    public static void UseAllCores()
    {
        lock (s_threadsLock)
        {
            if (s_threadsSet)
                return;
            s_threadsSet = true;
        }
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMP_NUM_THREADS")))
            set_num_threads(Threads.Count);
    }

    // The real TorchSharp throws where only the CPU package is there: that is no device, not an error.
    private static int CudaDeviceCount()
    {
        try
        {
            return cuda.is_available() ? cuda.device_count() : 0;
        }
        catch (Exception failure) when (Unwrap(failure) is DllNotFoundException or NotSupportedException)
        {
            return 0;
        }
    }

    private static Exception Unwrap(Exception failure)
        => failure is TypeInitializationException or System.Reflection.TargetInvocationException && failure.InnerException is { } inner
            ? Unwrap(inner) : failure;
}
