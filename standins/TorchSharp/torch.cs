using System.Runtime.InteropServices;
using TorchSharp.Native;

namespace TorchSharp;

public enum DeviceType
{
    CPU = 0, CUDA = 1, MKLDNN = 2, OPENGL = 3, OPENCL = 4, IDEEP = 5, HIP = 6, FPGA = 7, MSNPU = 8, XLA = 9, MPS = 13, META = 14,
}

public enum TensorStringStyle
{
    Metadata = 0, Julia = 1, Numpy = 2, CSharp = 3, Default = 4,
}

public static unsafe partial class torch
{
    public enum ScalarType : sbyte
    {
        Byte = 0, Int8 = 1, Int16 = 2, Int32 = 3, Int64 = 4, Float16 = 5, Float32 = 6, Float64 = 7,
        ComplexFloat32 = 9, ComplexFloat64 = 10, Bool = 11, BFloat16 = 15,
    }

    public static ScalarType uint8 = ScalarType.Byte, int8 = ScalarType.Int8, int16 = ScalarType.Int16, int32 = ScalarType.Int32,
        int64 = ScalarType.Int64;
    public static ScalarType float16 = ScalarType.Float16, float32 = ScalarType.Float32, float64 = ScalarType.Float64,
        bfloat16 = ScalarType.BFloat16;
    public static ScalarType @short = ScalarType.Int16, @int = ScalarType.Int32, @long = ScalarType.Int64;
    public static ScalarType half = ScalarType.Float16, @float = ScalarType.Float32, @double = ScalarType.Float64, @bool = ScalarType.Bool;
    public static ScalarType complex64 = ScalarType.ComplexFloat32, cfloat = ScalarType.ComplexFloat32;
    public static ScalarType complex128 = ScalarType.ComplexFloat64, cdouble = ScalarType.ComplexFloat64;

    public static readonly Device CPU = new(DeviceType.CPU, -1);

    private static ScalarType _defaultDtype = ScalarType.Float32;
    private static Device _defaultDevice;

    static torch()
    {
        NativeMethods.Initialize();
        _defaultDevice = CPU;
    }

    public static Device CUDA => new(DeviceType.CUDA);

    public static string __version__ => "0.102.7";

    public static ScalarType get_default_dtype() => _defaultDtype;

    public static void set_default_dtype(ScalarType dtype) => _defaultDtype = dtype;

    public static Device get_default_device() => _defaultDevice;

    public static void set_default_device(Device device) => _defaultDevice = device;

    public static void set_default_device(string device) => _defaultDevice = new Device(device);

    public static Device device(string description) => new(description);

    public static Device device(int index) => new(index);

    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);

    public static Device device(string deviceType, int index = -1) => new(deviceType, index);

    /// <summary>Whether the device type can be used; for CUDA this is where a missing driver shows.</summary>
    public static bool TryInitializeDeviceType(DeviceType deviceType) =>
        deviceType == DeviceType.CPU || deviceType == DeviceType.META || (deviceType == DeviceType.CUDA && cuda.is_available());

    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (!TryInitializeDeviceType(deviceType))
        {
            throw new InvalidOperationException($"Torch device type {deviceType} did not initialise on the current machine.");
        }
    }

    public static Device InitializeDevice(Device? device)
    {
        device ??= get_default_device();
        InitializeDeviceType(device.type);
        return device;
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static void CheckForErrors()
    {
    }

    // ---- dispose scopes

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.Current.Push();

    public static DisposeScope? CurrentDisposeScope => DisposeScopeManager.Current.Scopes.TryPeek(out var scope) ? scope : null;

    public static Tensor WrappedTensorDisposeScope(Func<Tensor> expr)
    {
        using var scope = NewDisposeScope();
        return expr().MoveToOuterDisposeScope();
    }

    // ---- threads

    public static int get_num_threads() => Threads(0, 0);

    public static void set_num_threads(int num) => Threads(1, num);

    public static int get_num_interop_threads() => Threads(2, 0);

    public static void set_num_interop_threads(int num) => Threads(3, num);

    private static int Threads(int set, int value)
    {
        int result = 0;
        NativeMethods.Check(NativeMethods.ssl_threads(set, value, &result));
        return result;
    }

    // ---- grad mode

    public static bool is_grad_enabled() => NativeMethods.ssl_grad_mode() != 0;

    public static bool is_inference_mode_enabled() => NativeMethods.ssl_inference_mode() != 0;

    public static IDisposable no_grad() => new GradMode(false);

    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);

    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);

    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);

    private sealed class GradMode : IDisposable
    {
        private readonly int _before = NativeMethods.ssl_grad_mode();

        public GradMode(bool enabled) => NativeMethods.ssl_set_grad_mode(enabled ? 1 : 0);

        public void Dispose() => NativeMethods.ssl_set_grad_mode(_before);
    }

    private sealed class InferenceMode(bool mode) : IDisposable
    {
        private nint _guard = NativeMethods.ssl_inference_mode_enter(mode ? 1 : 0);

        public void Dispose()
        {
            if (_guard != 0) NativeMethods.ssl_inference_mode_leave(_guard);
            _guard = 0;
        }
    }

    // ---- types

    public static bool is_floating_point(ScalarType type) =>
        type is ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16;

    public static bool is_complex(ScalarType type) => type is ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64;

    public static bool is_integral(ScalarType type) =>
        type is ScalarType.Byte or ScalarType.Int8 or ScalarType.Int16 or ScalarType.Int32 or ScalarType.Int64 or ScalarType.Bool;

    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static bool is_cudnn_available() => is_available();

        public static int device_count()
        {
            int count;
            NativeMethods.Check(NativeMethods.ssl_cuda_device_count(&count));
            return count;
        }

        public static void synchronize(Device? device = null) =>
            NativeMethods.Check(NativeMethods.ssl_cuda_synchronize(device?.index ?? -1));

        public static void manual_seed(long seed)
        {
            if (is_available()) new Generator(DeviceType.CUDA, -1).manual_seed(seed);
        }

        public static void manual_seed_all(long seed)
        {
            for (var index = 0; index < device_count(); index++) new Generator(DeviceType.CUDA, index).manual_seed(seed);
        }
    }

    public static class random
    {
        public static Generator manual_seed(long seed) => torch.manual_seed(seed);
    }
}
