using System.Runtime.InteropServices;
using Ssl.Estimators.Native;

namespace Ssl.Estimators.Tests.Native;

/// <summary>
/// Which processors' AVX-512 oneDNN is kept from; that what it computes is right here is <see cref="Encoders.LayerTests"/>'s.
/// </summary>
[TestClass]
public sealed partial class OneDnnTests
{
    [TestMethod]
    [DataRow("AuthenticAMD", true, null, true)]
    [DataRow("AuthenticAMD", true, "", true)]
    [DataRow("AuthenticAMD", true, "AVX512_CORE", false, DisplayName = "what the user says stands")]
    [DataRow("AuthenticAMD", false, null, false)]
    [DataRow("GenuineIntel", true, null, false)]
    [DataRow(null, false, null, false)]
    public void ProcessorsThatNeedItAreLimited(string? vendor, bool hasAvx512, string? setting, bool expected)
        => Assert.AreEqual(expected, OneDnn.NeedsLimit(vendor, hasAvx512, setting));

    [TestMethod]
    public void NativeCodeSeesTheLimit()
    {
        if (!OneDnn.IsLimited)
            Assert.Inconclusive("This processor needs no limit, or has one from outside.");
        if (!OperatingSystem.IsWindows())
            Assert.AreEqual("AVX2", Marshal.PtrToStringUTF8(GetVariable(OneDnn.Variable)));
        Assert.AreEqual("AVX2", Environment.GetEnvironmentVariable(OneDnn.Variable));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetVariable(string name);
}
