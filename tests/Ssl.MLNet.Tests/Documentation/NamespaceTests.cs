using System.Text.RegularExpressions;

namespace Ssl.MLNet.Tests.Documentation;

/// <summary>What an application names is in two namespaces (docs/decisions/0022-two-namespaces.md).</summary>
[TestClass]
[TestCategory("Checkout")]
public partial class NamespaceTests
{
    private static readonly string[] s_ofApplications = ["Ssl.MLNet", "Ssl.Estimators"];

    // A package for one purpose has a namespace of its own.
    private static readonly string[] s_ofPackages = ["Ssl.MLNet.Interactive", "Ssl.MLNet.Onnx", "Ssl.Extensions.AI", "Ssl.Extensions.VectorData"];

    // They extend the pack, and name what is for that.
    private static readonly string[] s_extend = ["docs/extend.md", "examples/own-method", "examples/own-method.Tests"];

    [TestMethod]
    public void ExamplesAndPagesNameTwoNamespaces()
    {
        var used = Pages().SelectMany(page => Using().Matches(File.ReadAllText(page)).Select(match => (Page: page, Name: match.Groups[1].Value))).ToArray();
        Assert.IsTrue(used.Any(line => line.Name == "Ssl.Estimators"), "the search finds what is known to be there");
        var faults = used.Where(line => !s_ofApplications.Contains(line.Name) && !s_ofPackages.Contains(line.Name))
            .Select(line => $"{Path.GetRelativePath(Repository.Root, line.Page)} uses {line.Name}").Distinct().ToArray();
        Assert.IsEmpty(faults, string.Join(Environment.NewLine, faults));
    }

    private static IEnumerable<string> Pages()
        => new[] { "docs", "examples", "src" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories))
            .Append(Path.Combine(Repository.Root, "README.md"))
            .Where(path => Path.GetExtension(path) is ".md" or ".ipynb" || (Path.GetExtension(path) == ".cs" && !Relative(path).StartsWith("src/", StringComparison.Ordinal)))
            .Where(path => !Relative(path).Split('/').Any(part => part is "bin" or "obj"))
            .Where(path => !s_extend.Any(place => Relative(path) == place || Relative(path).StartsWith(place + "/", StringComparison.Ordinal)));

    private static string Relative(string path) => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/');

    [GeneratedRegex(@"\busing (?:static )?(Ssl\.[\w.]+);")]
    private static partial Regex Using();
}
