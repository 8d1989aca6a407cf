namespace Ssl.MLNet.Onnx.Tests;

/// <summary>Leaves the machine as it was.</summary>
[TestClass]
public static class Cleanup
{
    [AssemblyCleanup]
    public static void DeleteFiles() => Exports.DeleteFiles();
}
