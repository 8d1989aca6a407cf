using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Ssl.Estimators.Native;

/// <summary>
/// oneDNN computes libtorch's convolutions on x64. Version 3.7.1, which libtorch 2.10 brings, gives wrong numbers and now and then NaN on AMD's
/// processors with AVX-512 (seen on an EPYC of the fifth generation, in a virtual machine): where it fills numbers up to a whole block of
/// channels it leaves memory unwritten, so that 24 channels, or 256 to 512 in a network of images, come out wrong. With AVX2 all are right.
/// Intel's processors keep what they have.
/// </summary>
internal static partial class OneDnn
{
    /// <summary>oneDNN's variable for the newest instructions that it may use. What a user has set stands.</summary>
    public const string Variable = "ONEDNN_MAX_CPU_ISA";

    // The same under the library's former name, which it reads, too.
    private const string FormerVariable = "DNNL_MAX_CPU_ISA";

    private const string Safe = "AVX2";

    /// <summary>Whether oneDNN was kept from AVX-512, and with it from bfloat16.</summary>
    public static bool IsLimited { get; private set; }

    /// <summary>Sets the limit where the processor needs it; without effect once this process has computed with oneDNN.</summary>
    public static void Limit()
    {
        if (!NeedsLimit(Vendor(), HasAvx512(), Environment.GetEnvironmentVariable(Variable) ?? Environment.GetEnvironmentVariable(FormerVariable)))
            return;
        // On Unix .NET keeps variables of its own, which native code does not see.
        Environment.SetEnvironmentVariable(Variable, Safe);
        IsLimited = OperatingSystem.IsWindows() || SetVariable(Variable, Safe, 1) == 0;
    }

    /// <summary>Whether a processor needs the limit.</summary>
    /// <param name="vendor">The twelve letters that it says of itself; null where it is none of x64.</param>
    /// <param name="hasAvx512">Whether it has AVX-512.</param>
    /// <param name="setting">What the user has set; null for nothing.</param>
    internal static bool NeedsLimit(string? vendor, bool hasAvx512, string? setting)
        => vendor == "AuthenticAMD" && hasAvx512 && string.IsNullOrEmpty(setting);

    // Leaf 0 of CPUID: four letters each in ebx, edx and ecx.
    private static string? Vendor()
    {
        if (!X86Base.IsSupported)
            return null;
        var (_, b, c, d) = X86Base.CpuId(0, 0);
        return System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes<int>([b, d, c]));
    }

    // Leaf 7, ebx, bit 16; asked for directly, since .NET can be told to do without.
    private static bool HasAvx512()
        => X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && (X86Base.CpuId(7, 0).Ebx & 1 << 16) != 0;

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrites);
}
