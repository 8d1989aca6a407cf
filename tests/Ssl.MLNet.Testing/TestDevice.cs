using Microsoft.ML;
using Ssl.Estimators;
using static TorchSharp.torch;

namespace Ssl.MLNet.Testing;

/// <summary>
/// Where tests compute: on the CPU, or where SSL_TEST_DEVICE says ("cuda", "cuda:1"). Every context of a test is made here, so that one
/// switch runs a suite on a GPU.
/// </summary>
public static class TestDevice
{
    private const string Variable = "SSL_TEST_DEVICE";

    private static readonly int? s_gpu = Parse(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Whether it is a GPU.</summary>
    public static bool IsGpu => s_gpu is not null;

    /// <summary>torch's name of it.</summary>
    public static Device Torch => TorchDevice.Choose(s_gpu, fallbackToCpu: false);

    /// <summary>
    /// By how much numbers may differ that are equal to the bit on the CPU: a GPU adds up gradients of shared weights in the order in which its
    /// threads come.
    /// </summary>
    public static float Repeatability => IsGpu ? 1e-4f : 0;

    /// <summary>A context on it; without a GPU there it throws, since a test that silently ran on the CPU would say nothing.</summary>
    /// <param name="seed">As MLContext takes it.</param>
    public static MLContext Context(int? seed = null) => new(seed) { GpuDeviceId = s_gpu, FallbackToCpu = false };

    private static int? Parse(string? device) => device switch
    {
        null or "" or "cpu" => null,
        "cuda" => 0,
        _ when device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), out int index) => index,
        _ => throw new InvalidOperationException($"{Variable} must be 'cpu', 'cuda' or 'cuda:N', got '{device}'."),
    };
}
