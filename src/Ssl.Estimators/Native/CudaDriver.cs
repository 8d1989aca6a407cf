using System.Runtime.InteropServices;
using System.Text;

namespace Ssl.Estimators.Native;

/// <summary>What NVIDIA's driver says of a GPU and torch 0.107 does not: its name, and how much of its memory is in use.</summary>
internal static class CudaDriver
{
    private const string Library = "cuda-driver";
    private const int Success = 0;

    static CudaDriver() => NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, (name, assembly, path) => name == Library
        ? NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var handle) ? handle : 0 : 0);

    /// <summary>The GPU's name: "NVIDIA H100 80GB HBM3"; null where the driver does not say.</summary>
    /// <param name="index">Its number, from 0.</param>
    public static string? Name(int index)
    {
        const int length = 256;
        var name = new byte[length];
        try
        {
            return cuInit(0) == Success && cuDeviceGet(out var device, index) == Success && cuDeviceGetName(name, length, device) == Success
                ? Encoding.ASCII.GetString(name).TrimEnd('\0') : null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// Bytes of the GPU's memory that are in use, of all processes, and all it has; null where the driver does not say. Torch keeps what it
    /// once took: behind a run it is the most that the run needed at a time.
    /// </summary>
    /// <param name="index">Its number, from 0.</param>
    public static (long Used, long All)? Memory(int index)
    {
        try
        {
            // The context that torch uses, too.
            if (cuInit(0) != Success || cuDeviceGet(out var device, index) != Success || cuDevicePrimaryCtxRetain(out var context, device) != Success)
                return null;
            try
            {
                if (cuCtxPushCurrent_v2(context) != Success)
                    return null;
                var known = cuMemGetInfo_v2(out var free, out var all) == Success;
                return cuCtxPopCurrent_v2(out _) == Success && known ? ((long)(all - free), (long)all) : null;
            }
            finally
            {
                _ = cuDevicePrimaryCtxRelease_v2(device);
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport(Library)]
    private static extern int cuInit(uint flags);

    [DllImport(Library)]
    private static extern int cuDeviceGet(out int device, int ordinal);

    [DllImport(Library)]
    private static extern int cuDeviceGetName([Out] byte[] name, int length, int device);

    [DllImport(Library)]
    private static extern int cuDevicePrimaryCtxRetain(out nint context, int device);

    [DllImport(Library)]
    private static extern int cuDevicePrimaryCtxRelease_v2(int device);

    [DllImport(Library)]
    private static extern int cuCtxPushCurrent_v2(nint context);

    [DllImport(Library)]
    private static extern int cuCtxPopCurrent_v2(out nint context);

    [DllImport(Library)]
    private static extern int cuMemGetInfo_v2(out nuint free, out nuint all);
}
