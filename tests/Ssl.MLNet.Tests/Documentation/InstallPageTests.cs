using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Ssl.MLNet.Tests;

/// <summary>docs/install.md and the install lines say what the repository is built with and what the product says.</summary>
[TestClass]
[TestCategory("Checkout")]
public sealed class InstallPageTests
{
    private static readonly string s_page = Read("docs/install.md");

    [TestMethod]
    public void The_versions_are_those_of_the_repository()
    {
        var rows = Regex.Matches(s_page, @"^\| `([\w.-]+)`(?:, `([\w.-]+)`)* \| ([\d.]+(?:-[\w.]+)?) \|", RegexOptions.Multiline);
        var named = new List<string>();
        foreach (Match row in rows)
        {
            foreach (var package in row.Groups[1].Captures.Concat(row.Groups[2].Captures).Select(capture => capture.Value))
            {
                named.Add(package);
                var version = package.StartsWith("Ssl.", StringComparison.Ordinal)
                    ? Repository.Property("Directory.Build.props", "VersionPrefix") : Repository.PackageVersion(package);
                Assert.AreEqual(version.TrimStart('[').Split(',')[0], row.Groups[3].Value, package);
            }
        }
        string[] expected = ["Microsoft.Extensions.AI", "Microsoft.Extensions.VectorData.Abstractions", "Ssl.Extensions.VectorData", "Microsoft.ML", "Microsoft.ML.ImageAnalytics", "SkiaSharp", "Ssl.Estimators", "Ssl.Extensions.AI", "Ssl.MLNet", "Ssl.MLNet.Interactive", "Microsoft.DotNet.Interactive", "Ssl.MLNet.Onnx", "Ssl.Tool", "Microsoft.ML.OnnxRuntime", "TorchSharp",
            "TorchSharp-cpu", "TorchSharp-cuda-linux", "TorchSharp-cuda-windows"];
        Assert.AreEqual("", string.Join(", ", expected.Except(named)), "Packages that the table of versions lacks.");
    }

    [TestMethod]
    [DataRow("README.md")]
    [DataRow("docs/install.md")]
    [DataRow("src/Ssl.MLNet/PACKAGE.md")]
    [DataRow("src/Ssl.Estimators/PACKAGE.md")]
    [DataRow("src/Ssl.Extensions.AI/PACKAGE.md")]
    [DataRow("src/Ssl.Extensions.VectorData/PACKAGE.md")]
    public void Install_lines_name_the_version_of_TorchSharp(string file)
    {
        var versions = Regex.Matches(Read(file), @"TorchSharp-[a-z-]+ --version ([\d.]+)").Select(match => match.Groups[1].Value).ToArray();
        Assert.AreNotEqual(0, versions.Length);
        foreach (var version in versions)
            Assert.AreEqual(Repository.PackageVersion("TorchSharp-cpu"), version);
    }

    // Outside of the repository nothing else says which packages, and in which versions, the service takes.
    [TestMethod]
    public void The_project_file_in_the_readme_of_the_service_takes_what_the_service_takes()
    {
        var shown = XElement.Parse(ReadmeTests.Block("examples/service/README.md", "xml"));
        var own = XElement.Parse(Read("examples/service/SearchService.csproj"));
        static string[] Packages(XElement project) => [.. project.Descendants("PackageReference").Select(item => item.Attribute("Include")!.Value)];
        CollectionAssert.AreEquivalent(Packages(own).Append("Ssl.MLNet").Append("TorchSharp-cpu").ToArray(), Packages(shown));
        foreach (var item in shown.Descendants("PackageReference"))
        {
            var package = item.Attribute("Include")!.Value;
            Assert.AreEqual(package == "Ssl.MLNet" ? Repository.Property("Directory.Build.props", "VersionPrefix") : Repository.PackageVersion(package),
                item.Attribute("Version")!.Value, package);
        }
        Assert.AreEqual(own.Descendants("Content").Single().ToString(), shown.Descendants("Content").Single().ToString());
    }

    // A message of the page, with … for what differs, stands in the code with anything in those places.
    [TestMethod]
    public void The_messages_are_those_of_the_code()
    {
        var native = Directory.GetFiles(Path.Combine(Repository.Root, "src", "Ssl.Estimators", "Native"), "*.cs");
        var code = string.Concat(native.Append("src/Ssl.Estimators/Training/TorchDevice.cs")
            .Select(file => Regex.Replace(Read(file), @"""\s*\+\s*\$?""", "")));
        var messages = Regex.Matches(s_page, @"^\| `([^`]*)` \|", RegexOptions.Multiline).Select(match => match.Groups[1].Value)
            .Where(text => text.Contains(' ')).ToArray();
        Assert.IsGreaterThan(6, messages.Length);
        const StringSplitOptions Parts = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        foreach (var part in messages.SelectMany(message => message.Split('…', Parts)))
            Assert.Contains(part, code, "docs/install.md quotes a message that the code does not have.");
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Repository.Root, file));
}
