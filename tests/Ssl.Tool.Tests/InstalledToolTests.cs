using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;

namespace Ssl.Tool.Tests;

/// <summary>
/// The tool as a stranger gets it: packed for this machine, installed from a folder of packages, and run outside the repository. Long: it packs and
/// unpacks half a gigabyte of libtorch.
/// </summary>
[TestClass]
[TestCategory("Checkout")]
[TestCategory("Long")]
public sealed class InstalledToolTests
{
    private const long MostBytesOfPackage = 250_000_000;

    [TestMethod]
    public void It_is_packed_installed_and_pretrains_embeds_evaluates_and_exports()
    {
        using var run = new ToolRun();
        var platform = OperatingSystem.IsWindows() ? "win-x64" : OperatingSystem.IsMacOS() ? "osx-arm64" : "linux-x64";
        var (packages, tools) = (run.File("packages"), run.File("tools"));
        Start(Root(), "dotnet", "pack", Path.Combine("src", "Ssl.Tool"), "-c", "Release", "--nologo", $"-p:SslToolPlatform={platform}", "-o", packages);
        var forPlatform = Directory.GetFiles(packages, $"Ssl.Tool.{platform}.*.nupkg").Single();
        Assert.IsLessThan(MostBytesOfPackage, new FileInfo(forPlatform).Length, "nuget.org takes no larger package.");
        using (var package = ZipFile.OpenRead(forPlatform))
        {
            var files = package.Entries.Select(entry => entry.FullName).ToHashSet();
            foreach (var file in new[] { "LICENSE", "README.md", "icon.png", $"tools/net10.0/{platform}/Ssl.Tool.dll", $"tools/net10.0/{platform}/Ssl.Estimators.xml" })
                Assert.Contains(file, files);
            using var readme = new StreamReader(package.GetEntry("README.md")!.Open());
            Assert.AreEqual(File.ReadAllText(Path.Combine(Root(), "src", "Ssl.Tool", "PACKAGE.md")), readme.ReadToEnd());
        }

        var fresh = Directory.CreateDirectory(run.File("fresh")).FullName;
        Start(fresh, "dotnet", "tool", "install", "Ssl.Tool", "--tool-path", tools, "--source", packages);
        var ssl = Path.Combine(tools, OperatingSystem.IsWindows() ? "ssl.exe" : "ssl");
        run.WriteTable("fresh/rows.csv");
        Start(fresh, ssl, "init", "rows.csv");
        run.WriteTableSettings("fresh/small.json", "fresh/rows.csv");
        Start(fresh, ssl, "pretrain", "small.json", "-o", "model");
        Start(fresh, ssl, "embed", "model", "rows.csv", "-o", "rows.npy");
        Assert.IsTrue(File.Exists(Path.Combine(fresh, "rows.npy")));
        var report = JsonDocument.Parse(Start(fresh, ssl, "evaluate", "model", "rows.csv", "--json"));
        Assert.AreEqual(3, report.RootElement.GetProperty("features").GetArrayLength());
        Assert.Contains("differ by", Start(fresh, ssl, "export", "model", "-o", "model.onnx"));
        Assert.Contains("Peak learning rate", Start(fresh, ssl, "methods", "SimCse"));
        Assert.AreEqual(2, StartAny(fresh, ssl, "pretrain", "none.json").Code);
    }

    private static string Start(string folder, string program, params string[] arguments)
    {
        var (code, output, errors) = StartAny(folder, program, arguments);
        Assert.AreEqual(0, code, $"{program} {string.Join(' ', arguments)}\n{output}{errors}");
        return output;
    }

    private static (int Code, string Output, string Errors) StartAny(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        // What the test host's own build has set would reach the build of the child.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SslMLNet.sln")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException($"The repository was not found above {AppContext.BaseDirectory}.");
    }
}
