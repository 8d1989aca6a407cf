using System.Text.RegularExpressions;

namespace Ssl.MLNet.Tests;

/// <summary>
/// The packages as a stranger gets them: an app outside the repository, made with the readme's install lines and nothing else. Long: it
/// asks the machine's NuGet sources and writes a gigabyte of libtorch for every platform, as such an app does.
/// </summary>
[TestClass]
public sealed class InstallTests
{
    private static string s_folder = "";
    private static Dictionary<string, string> s_environment = [];

    [ClassInitialize]
    public static void MakeAnApp(TestContext context)
    {
        s_folder = Directory.CreateTempSubdirectory("ssl-install-").FullName;
        using var feed = new PackageFeed();
        var cache = CommandLine.Dotnet(s_folder, s_environment, "nuget", "locals", "global-packages", "--list").Split(": ", 2)[1].Trim();
        // Our packages go into a folder of this run: in the user's they would stand for every later build of the same version.
        s_environment = new() { ["NUGET_PACKAGES"] = Path.Combine(s_folder, "packages") };
        File.WriteAllText(Path.Combine(s_folder, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="packed" value="{feed.Folder}" /></packageSources>
              <fallbackPackageFolders><add key="user" value="{cache}" /></fallbackPackageFolders>
            </configuration>
            """);
        Directory.CreateDirectory(App);
        foreach (var line in InstallLines())
            Dotnet(line[7..].Split(' '));
    }

    [ClassCleanup]
    public static void CleanUp() => Directory.Delete(s_folder, recursive: true);

    [TestMethod]
    [TestCategory("Long")]
    public void The_sample_of_the_readme_runs_from_the_packages()
        => Assert.AreEqual(ReadmeTests.Block("README.md", "text"), Run(ReadmeTests.Block("README.md", "csharp")));

    // What docs/install.md says of Microsoft.ML.TorchSharp: it restores and loads beside us, and its trainers stop.
    [TestMethod]
    [TestCategory("Long")]
    public void Microsoft_ML_TorchSharp_restores_and_loads_beside_us()
    {
        Dotnet("add", "package", "Microsoft.ML.TorchSharp", "--version", "0.23.1");
        var output = Run("""
            using Microsoft.ML;
            using Microsoft.ML.TorchSharp;
            using Ssl.MLNet;

            var mlContext = new MLContext(seed: 1);
            var texts = Enumerable.Range(0, 40).Select(i => new Row { Text = $"text {i}", Label = (uint)(i % 2) });
            var rows = mlContext.Data.LoadFromEnumerable(texts);
            var keyed = mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(rows).Transform(rows);
            using var encoder = mlContext.SelfSupervised().Text.SimCse("Features", "Text", numberOfEpochs: 1).Fit(rows);
            Console.WriteLine(encoder.Transform(rows).Schema["Features"].Type);
            var theirs = mlContext.MulticlassClassification.Trainers.TextClassification(sentence1ColumnName: "Text");
            Console.WriteLine(theirs.GetType().Assembly.GetName().Name);
            try
            {
                theirs.Fit(keyed);
                Console.WriteLine("trained");
            }
            catch (Exception fault)
            {
                Console.WriteLine($"{fault.GetType().Name}: {fault.Message}");
            }

            internal sealed class Row
            {
                public string Text { get; set; } = "";
                public uint Label { get; set; }
            }
            """);
        var lines = output.Split('\n');
        Assert.StartsWith("Vector<Single,", lines[0]);
        Assert.AreEqual("Microsoft.ML.TorchSharp", lines[1]);
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "install.md"));
        Assert.Contains(lines[2], page, "The page must quote what happens.");
    }

    private static string App => Path.Combine(s_folder, "app");

    private static string Run(string program)
    {
        File.WriteAllText(Path.Combine(App, "Program.cs"), program);
        return Dotnet("run");
    }

    private static string Dotnet(params string[] arguments) => CommandLine.Dotnet(App, s_environment, arguments);

    private static string[] InstallLines()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var block = Regex.Match(readme, "^## Install\n.*?^```\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)
            .Groups[1].Value;
        var lines = block.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.IsTrue(lines.Length > 2 && lines.All(line => line.StartsWith("dotnet ", StringComparison.Ordinal)), block);
        return lines;
    }
}
