using System.IO.Compression;
using System.Xml.Linq;

namespace Ssl.MLNet.Tests;

/// <summary>What the packages hold and what they ask for.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class PackageContentTests
{
    private static PackageFeed s_feed = null!;

    [ClassInitialize]
    public static void Pack(TestContext context) => s_feed = new PackageFeed();

    [ClassCleanup]
    public static void CleanUp() => s_feed.Dispose();

    [TestMethod]
    [DataRow("Ssl.Estimators")]
    [DataRow("Ssl.MLNet")]
    [DataRow("Ssl.Extensions.AI")]
    [DataRow("Ssl.MLNet.Onnx")]
    [DataRow("Ssl.Extensions.VectorData")]
    [DataRow("Ssl.MLNet.Interactive")]
    public void It_holds_the_library_its_documentation_and_what_a_gallery_shows(string name)
    {
        using var package = ZipFile.OpenRead(s_feed.Package(name));
        // .NET Interactive runs it when a notebook references the package.
        string[] extension = name == "Ssl.MLNet.Interactive" ? ["interactive-extensions/dotnet/extension.dib"] : [];
        string[] expected = ["LICENSE", "README.md", "icon.png", .. extension, $"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"];
        var files = package.Entries.Select(entry => entry.FullName)
            .Where(file => !file.StartsWith("_rels/", StringComparison.Ordinal) && !file.StartsWith("package/", StringComparison.Ordinal)
                && file != "[Content_Types].xml" && file != $"{name}.nuspec");
        Assert.AreEqual(string.Join('\n', expected), string.Join('\n', files.Order(StringComparer.Ordinal)));
        using var readme = new StreamReader(package.GetEntry("README.md")!.Open());
        Assert.AreEqual(File.ReadAllText(Path.Combine(Repository.Root, "src", name, "PACKAGE.md")), readme.ReadToEnd());

        using var symbols = ZipFile.OpenRead(s_feed.Package(name, "snupkg"));
        Assert.IsNotNull(symbols.GetEntry($"lib/net10.0/{name}.pdb"));
    }

    [TestMethod]
    [DataRow("Ssl.Estimators")]
    [DataRow("Ssl.MLNet")]
    [DataRow("Ssl.Extensions.AI")]
    [DataRow("Ssl.MLNet.Onnx")]
    [DataRow("Ssl.Extensions.VectorData")]
    [DataRow("Ssl.MLNet.Interactive")]
    public void It_says_what_it_is(string name)
    {
        var metadata = Metadata(name);
        string Value(string element) => metadata.Element(metadata.Name.Namespace + element)?.Value ?? "";
        Assert.AreEqual(name, Value("id"));
        Assert.AreEqual(Repository.Property("Directory.Build.props", "VersionPrefix"), Value("version"));
        Assert.AreEqual("MIT", Value("license"));
        Assert.AreEqual("README.md", Value("readme"));
        Assert.AreEqual("icon.png", Value("icon"));
        Assert.Contains("self-supervised", Value("tags"));
        Assert.IsGreaterThan(100, Value("description").Length);
    }

    // The native TorchSharp packages are half a gigabyte and exclude each other: the application chooses.
    [TestMethod]
    public void Estimators_ask_for_the_versions_that_the_repository_is_built_with_and_for_no_native_TorchSharp()
    {
        string[] names = ["Google.Protobuf", "Microsoft.ML", "Microsoft.ML.FastTree", "Microsoft.ML.ImageAnalytics", "Microsoft.ML.LightGbm", "NAudio.Core", "NLayer", "NVorbis", "SkiaSharp", "SkiaSharp.NativeAssets.Linux.NoDependencies",
            "SkiaSharp.NativeAssets.Win32", "SkiaSharp.NativeAssets.macOS", "TorchSharp"];
        var expected = names.Select(name => $"{name} {Repository.PackageVersion(name).Replace(",", ", ")}");
        Assert.AreEqual(string.Join('\n', expected), string.Join('\n', Dependencies("Ssl.Estimators")));
    }

    [TestMethod]
    [DataRow("Ssl.MLNet")]
    [DataRow("Ssl.Extensions.AI")]
    public void The_others_ask_for_the_estimators_of_exactly_their_own_version(string name)
        => Assert.Contains($"Ssl.Estimators [{Repository.Property("Directory.Build.props", "VersionPrefix")}]", Dependencies(name));

    // ONNX Runtime comes with its native library: only who exports has it.
    [TestMethod]
    public void Only_the_exporter_asks_for_ONNX_Runtime()
    {
        string[] expected = [$"Microsoft.ML.OnnxRuntime {Repository.PackageVersion("Microsoft.ML.OnnxRuntime")}", $"Ssl.MLNet [{Repository.Property("Directory.Build.props", "VersionPrefix")}]"];
        Assert.AreEqual("", string.Join(", ", expected.Except(Dependencies("Ssl.MLNet.Onnx"))));
        foreach (var other in new[] { "Ssl.Estimators", "Ssl.MLNet", "Ssl.Extensions.AI", "Ssl.Extensions.VectorData" })
            Assert.IsFalse(Dependencies(other).Any(package => package.Contains("Onnx", StringComparison.Ordinal)), other);
    }

    [TestMethod]
    public void Only_generators_and_vector_stores_ask_for_Microsoft_Extensions()
    {
        string[] names = ["Microsoft.Extensions.AI", "Microsoft.Extensions.AI.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions"];
        Assert.AreEqual(string.Join('\n', names.Select(name => $"{name} {Repository.PackageVersion(name)}")), Extensions("Ssl.Extensions.AI"));
        string[] stores = ["Microsoft.Extensions.AI.Abstractions", "Microsoft.Extensions.VectorData.Abstractions"];
        Assert.AreEqual(string.Join('\n', stores.Select(name => $"{name} {Repository.PackageVersion(name)}")), Extensions("Ssl.Extensions.VectorData"));
        Assert.AreEqual("", Extensions("Ssl.MLNet") + Extensions("Ssl.Estimators"));
        Assert.IsFalse(Dependencies("Ssl.Extensions.AI").Any(package => package.StartsWith("Ssl.MLNet", StringComparison.Ordinal)));

        static string Extensions(string name)
            => string.Join('\n', Dependencies(name).Where(package => package.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)));
    }

    private static IReadOnlyList<string> Dependencies(string name)
        => [.. Metadata(name).Descendants().Where(element => element.Name.LocalName == "dependency")
            .Select(element => $"{element.Attribute("id")!.Value} {element.Attribute("version")!.Value}").Order(StringComparer.Ordinal)];

    private static XElement Metadata(string name)
    {
        using var package = ZipFile.OpenRead(s_feed.Package(name));
        using var nuspec = package.GetEntry($"{name}.nuspec")!.Open();
        return XDocument.Load(nuspec).Root!.Elements().First();
    }
}
