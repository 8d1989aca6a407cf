using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace TorchSharp.Native;

/// <summary>The functions of libssl_torch.so, and where it is found.</summary>
internal static unsafe class NativeMethods
{
    private const string Library = "ssl_torch";
    private static readonly Lazy<string?> _failure = new(Load);

    /// <summary>What <c>ssl_info</c> tells of a tensor.</summary>
    public struct Info
    {
        public int Dtype, DeviceType, DeviceIndex, Dim, RequiresGrad, Contiguous, Leaf, Layout;
        public long Numel, ElementSize, StorageOffset;
    }

    /// <summary>Loads the library; throws what the real package throws when its native half is missing.</summary>
    public static bool Initialize() => _failure.Value is { } failure ? throw new NotSupportedException(failure) : true;

    public static void Check(int status)
    {
        if (status < 0) Throw();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Throw() => throw new ExternalException(Marshal.PtrToStringUTF8(ssl_error()) ?? "unknown native error");

    [DllImport(Library)] public static extern nint ssl_error();
    [DllImport(Library)] public static extern nint ssl_version();
    [DllImport(Library, BestFitMapping = false)]
    public static extern int ssl_operator([MarshalAs(UnmanagedType.LPUTF8Str)] string name,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string overload, out nint target);
    [DllImport(Library)] public static extern int ssl_call(nint target, NativeArg* args, int count, int keep, NativeArg** results);

    [DllImport(Library)] public static extern void ssl_free(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern nint ssl_alias(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern int ssl_info(nint tensor, Info* info);
    [DllImport(Library), SuppressGCTransition] public static extern int ssl_dim(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern int ssl_dtype(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern void ssl_sizes(nint tensor, long* sizes);
    [DllImport(Library), SuppressGCTransition] public static extern void ssl_strides(nint tensor, long* strides);
    [DllImport(Library)] public static extern int ssl_data(nint tensor, nint* data);
    [DllImport(Library)]
    public static extern int ssl_from_blob(nint data, long* sizes, int dim, int dtype, delegate* unmanaged<nint, void> release,
        nint context, nint* tensor);

    [DllImport(Library)] public static extern int ssl_backward(nint tensor, NativeArg* gradients, int keepGraph, int createGraph,
        NativeArg* inputs);
    [DllImport(Library)]
    public static extern int ssl_grad(NativeArg* outputs, NativeArg* inputs, NativeArg* gradients, int keepGraph, int createGraph,
        int allowUnused, NativeArg** results);
    [DllImport(Library)] public static extern int ssl_get_grad(nint tensor, nint* grad);
    [DllImport(Library)] public static extern int ssl_set_grad(nint tensor, nint grad);
    [DllImport(Library)] public static extern int ssl_set_requires_grad(nint tensor, int value);
    [DllImport(Library)] public static extern int ssl_retain_grad(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern int ssl_grad_mode();
    [DllImport(Library), SuppressGCTransition] public static extern void ssl_set_grad_mode(int value);
    [DllImport(Library), SuppressGCTransition] public static extern int ssl_inference_mode();
    [DllImport(Library)] public static extern nint ssl_inference_mode_enter(int value);
    [DllImport(Library)] public static extern void ssl_inference_mode_leave(nint guard);

    [DllImport(Library)] public static extern int ssl_generator_new(int deviceType, int deviceIndex, ulong seed, nint* generator);
    [DllImport(Library)] public static extern int ssl_generator_default(int deviceType, int deviceIndex, nint* generator);
    [DllImport(Library)] public static extern void ssl_generator_free(nint generator);
    [DllImport(Library)] public static extern int ssl_generator_seed(nint generator, int set, ulong* seed);
    [DllImport(Library)] public static extern int ssl_generator_state(nint generator, nint state, nint* result);
    [DllImport(Library)] public static extern int ssl_manual_seed(ulong seed);
    [DllImport(Library)] public static extern int ssl_threads(int set, int value, int* result);
    [DllImport(Library)] public static extern int ssl_cuda_device_count(int* count);
    [DllImport(Library)] public static extern int ssl_cuda_synchronize(int index);

    public struct AdamStep
    {
        public double LearningRate, Beta1, Beta2, Epsilon, WeightDecay;
        public int Decoupled;
    }

    [DllImport(Library)]
    public static extern int ssl_adam(nint* parameters, nint* means, nint* squares, long* steps, int count, AdamStep* settings);

    private static string? Load()
    {
        var assembly = typeof(NativeMethods).Assembly;
        var failure = Load(
            [
                Path.Combine(AppContext.BaseDirectory, "libssl_torch.so"),
                Path.Combine(Path.GetDirectoryName(assembly.Location) ?? ".", "libssl_torch.so"),
                Environment.GetEnvironmentVariable("SSL_TORCH_NATIVE"),
            ],
            out var handle);
        if (failure is null) NativeLibrary.SetDllImportResolver(assembly, (library, _, _) => library == Library ? handle : 0);
        return failure;
    }

    /// <summary>Loads the first of the files that can be; gives the message of the real package if none can.</summary>
    internal static string? Load(ReadOnlySpan<string?> candidates, out nint handle)
    {
        var trace = new StringBuilder();
        foreach (var path in candidates)
        {
            if (string.IsNullOrEmpty(path)) continue;
            try
            {
                handle = NativeLibrary.Load(path);
                return null;
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                trace.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"    {path}: {e.Message}");
            }
        }
        handle = 0;
        return "This application or script uses TorchSharp but doesn't contain a reference to libtorch-cpu-linux-x64, Version=2.2.1.1."
            + "\n\nConsider referencing one of the combination packages TorchSharp-cpu, TorchSharp-cuda-linux, "
                + "TorchSharp-cuda-windows or call "
            + "System.Runtime.InteropServices.NativeLibrary.Load(path-to-libLibTorchSharp.so) explicitly for a Python install of pytorch. "
            + "See https://github.com/dotnet/TorchSharp/issues/169.\"."
            + "\n\nFor CUDA, you may need to call 'TorchSharp.torch.InitializeDeviceType(TorchSharp.DeviceType.CUDA)' before any "
                + "use of TorchSharp "
            + "CUDA packages from scripts or notebooks."
            + "\n\nTrace from LoadNativeBackend:\n" + trace;
    }
}
