using System.Diagnostics;

namespace Ssl.MLNet.Tests;

/// <summary>Every example builds and runs in its small form. Each is compiled on its own, hence the category.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class ExampleTests
{
    public static IEnumerable<object[]> Examples
        => Directory.GetFiles(Path.Combine(Repository.Root, "examples"), "*.cs").Order(StringComparer.Ordinal)
            .Select(path => new object[] { Path.GetFileName(path) });

    [TestMethod]
    [TestCategory("Long")]
    [DynamicData(nameof(Examples))]
    public void It_runs(string example)
    {
        var start = new ProcessStartInfo("dotnet", ["run", Path.Combine(Repository.Root, "examples", example), "--", "--small"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, output + errors.Result);
        Assert.IsFalse(string.IsNullOrWhiteSpace(output), "It must show something.");
        Assert.Contains("// Expected output:", File.ReadAllText(Path.Combine(Repository.Root, "examples", example)));
    }
}
