using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Ssl.Estimators.Native;

/// <summary>
/// Whether this machine's processor computes in bfloat16 itself, and oneDNN lets it; without, libtorch imitates it many times slower.
/// </summary>
internal static class BFloat16Support
{
    /// <summary>
    /// The name of a switch of <see cref="AppContext"/>: whether a processor without the instructions computes in bfloat16 all the same. For
    /// tests of what a GPU will do.
    /// </summary>
    public const string EmulationSwitch = "Ssl.EmulateBFloat16";

    /// <summary>Whether products in bfloat16 are to be computed on the CPU.</summary>
    public static bool IsUsable => s_hasInstructions && !OneDnn.IsLimited || AppContext.TryGetSwitch(EmulationSwitch, out var emulates) && emulates;

    private static readonly bool s_hasInstructions = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => HasX86(),
        Architecture.Arm64 => HasArm(),
        _ => false,
    };

    // Intel's manual, CPUID leaf 7: AVX512_BF16 is bit 5 of eax of its first part, AMX-BF16 bit 22 of edx.
    private static bool HasX86()
    {
        const int leaf = 7;
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < leaf)
            return false;
        var (parts, _, _, edx) = X86Base.CpuId(leaf, 0);
        return (edx & 1 << 22) != 0 || parts >= 1 && (X86Base.CpuId(leaf, 1).Eax & 1 << 5) != 0;
    }

    // Linux lists what the processor has; Apple's have it since the M2, which they say to nobody but the C library.
    private static bool HasArm()
    {
        const string file = "/proc/cpuinfo";
        return OperatingSystem.IsLinux() && File.Exists(file)
            && File.ReadLines(file).Any(line => line.StartsWith("Features", StringComparison.Ordinal) && line.Split(' ').Contains("bf16"));
    }
}
