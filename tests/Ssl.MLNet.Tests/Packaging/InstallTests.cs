using System.Text.RegularExpressions;

namespace Ssl.MLNet.Tests;

/// <summary>
/// The packages as a stranger gets them: an app outside the repository, made with the readme's install lines and nothing else. Long: it
/// asks the machine's NuGet sources and writes a gigabyte of libtorch for every platform, as such an app does.
/// </summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class InstallTests
{
    private static string s_folder = "";
    private static PackageFeed? s_feed;
    private static Dictionary<string, string> s_environment = [];

    [ClassInitialize]
    public static void MakeAnApp(TestContext context)
    {
        s_folder = Directory.CreateTempSubdirectory("ssl-install-").FullName;
        s_feed = new PackageFeed();
        var cache = CommandLine.Dotnet(s_folder, s_environment, "nuget", "locals", "global-packages", "--list").Split(": ", 2)[1].Trim();
        // Our packages go into a folder of this run: in the user's they would stand for every later build of the same version.
        s_environment = new() { ["NUGET_PACKAGES"] = Path.Combine(s_folder, "packages") };
        File.WriteAllText(Path.Combine(s_folder, "nuget.config"), $"""
            <configuration>
              <packageSources><add key="packed" value="{s_feed.Folder}" /></packageSources>
              <fallbackPackageFolders><add key="user" value="{cache}" /></fallbackPackageFolders>
            </configuration>
            """);
        foreach (var line in InstallLines())
            Dotnet(App, line[7..].Split(' '));
    }

    [ClassCleanup]
    public static void CleanUp()
    {
        s_feed?.Dispose();
        Directory.Delete(s_folder, recursive: true);
    }

    [TestMethod]
    [TestCategory("Long")]
    public void The_sample_of_the_readme_runs_from_the_packages()
        => Assert.AreEqual(ReadmeTests.Block("README.md", "text"), Run(App, ReadmeTests.Block("README.md", "csharp")));

    [TestMethod]
    [TestCategory("Long")]
    public void The_package_of_generators_restores_and_runs_beside_us()
    {
        Dotnet(App, "add", "package", "Ssl.Extensions.AI");
        var output = Run(App, """
            using Microsoft.Extensions.AI;
            using Microsoft.ML;
            using Ssl.Extensions.AI;
            using Ssl.MLNet;

            var mlContext = new MLContext(1);
            var rows = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Row { Text = $"text {i}" }));
            using var encoder = mlContext.SelfSupervised().Text.SimCse("Features", "Text", numberOfEpochs: 1).Fit(rows);
            var vector = await encoder.AsIEmbeddingGenerator().GenerateVectorAsync("text 1");
            Console.WriteLine(vector.Length == encoder.EmbeddingDimension);

            internal sealed class Row
            {
                public string Text { get; set; } = "";
            }
            """);
        Assert.EndsWith("True\n", output);
    }

    [TestMethod]
    [TestCategory("Long")]
    public void The_example_service_trains_publishes_and_answers_in_a_folder_of_its_own()
    {
        var folder = Path.Combine(s_folder, "service");
        var source = Path.Combine(Repository.Root, "examples", "service");
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(source, file);
            if (name.Split(Path.DirectorySeparatorChar)[0] is "bin" or "obj" or "model" || Path.GetExtension(name) is ".csproj" || name == "packages.lock.json")
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            File.Copy(file, Path.Combine(folder, name));
        }
        File.WriteAllText(Path.Combine(folder, "SearchService.csproj"), ReadmeTests.Block("examples/service/README.md", "xml"));
        Assert.Contains("wrote model", Dotnet(folder, "run", "-c", "Release", "--", "train", "--epochs", "2"));
        Dotnet(folder, "publish", "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-o", "app");

        var start = new System.Diagnostics.ProcessStartInfo("dotnet", [Path.Combine("app", "SearchService.dll"), "--urls", "http://127.0.0.1:0"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        };
        using var service = System.Diagnostics.Process.Start(start)!;
        try
        {
            // It says its address, then that it serves the model.
            var lines = new List<string>();
            while (!lines.Any(line => line.Contains("Serving model", StringComparison.Ordinal)) && service.StandardOutput.ReadLine() is { } line)
                lines.Add(line);
            var address = lines.Select(line => Regex.Match(line, "Now listening on: (\\S+)")).Single(match => match.Success).Groups[1].Value;
            using var client = new HttpClient { BaseAddress = new Uri(address) };
            using var question = new StringContent("""{"text": "my package has not arrived"}""", null, "application/json");
            var answer = client.PostAsync("/search", question).Result.EnsureSuccessStatusCode().Content.ReadAsStringAsync().Result;
            Assert.Contains("The parcel is late", answer);
            Assert.Contains("</html>", client.GetStringAsync("/").Result);
        }
        finally
        {
            service.Kill();
            service.WaitForExit();
        }
    }

    // Its trainers stop at their first step (docs/install.md); that needs weights from the network, which this test does not.
    [TestMethod]
    [TestCategory("Long")]
    public void Microsoft_ML_TorchSharp_restores_and_loads_beside_us()
    {
        Dotnet(App, "add", "package", "Microsoft.ML.TorchSharp", "--version", "0.23.1");
        var output = Run(App, """
            using Microsoft.ML;
            using Microsoft.ML.TorchSharp;
            using Ssl.MLNet;

            var mlContext = new MLContext(1);
            var texts = Enumerable.Range(0, 40).Select(i => new Row { Text = $"text {i}" });
            var rows = mlContext.Data.LoadFromEnumerable(texts);
            using var encoder = mlContext.SelfSupervised().Text.SimCse("Features", "Text", numberOfEpochs: 1).Fit(rows);
            Console.WriteLine(encoder.Transform(rows).Schema["Features"].Type);
            var theirs = mlContext.MulticlassClassification.Trainers.TextClassification(sentence1ColumnName: "Text");
            Console.WriteLine(theirs.GetType().Assembly.GetName().Name);

            internal sealed class Row
            {
                public string Text { get; set; } = "";
            }
            """);
        Assert.StartsWith("Vector<Single,", output);
        Assert.EndsWith("Microsoft.ML.TorchSharp\n", output);
    }

    [TestMethod]
    [TestCategory("Long")]
    public void Without_a_native_package_the_message_says_which_to_add()
    {
        var bare = Path.Combine(s_folder, "bare");
        foreach (var line in InstallLines().Where(line => !line.Contains("TorchSharp-cpu")))
            Dotnet(bare, line[7..].Split(' '));
        var output = Run(bare, """
            try
            {
                Ssl.Estimators.TorchDevice.RequireNativeLibrary();
            }
            catch (InvalidOperationException fault)
            {
                Console.WriteLine($"message: {fault.Message}");
            }
            """);
        Assert.Contains("message: TorchSharp's native library (libtorch) could not be loaded: The libtorch-cpu", output);
        Assert.Contains("is not restored on this system. The application's project must reference one of the packages TorchSharp-cpu,", output);
    }

    private static string App => Path.Combine(s_folder, "app");

    private static string Run(string folder, string program)
    {
        File.WriteAllText(Path.Combine(folder, "Program.cs"), program);
        return Dotnet(folder, "run");
    }

    private static string Dotnet(string folder, params string[] arguments)
    {
        Directory.CreateDirectory(folder);
        return CommandLine.Dotnet(folder, s_environment, arguments);
    }

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
