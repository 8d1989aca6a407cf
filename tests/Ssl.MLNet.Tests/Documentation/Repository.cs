using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Ssl.MLNet.Tests;

/// <summary>The folder that these tests were built in.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>"Debug" or "Release": what these tests were built as.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>The version of a package, as Directory.Packages.props has it.</summary>
    public static string PackageVersion(string package)
    {
        var versions = XDocument.Load(Path.Combine(Root, "Directory.Packages.props"));
        var line = versions.Descendants("PackageVersion").Single(item => item.Attribute("Include")!.Value == package);
        return Expand(versions, line.Attribute("Version")!.Value);
    }

    /// <summary>A property of a file of MSBuild.</summary>
    public static string Property(string file, string name) => Expand(XDocument.Load(Path.Combine(Root, file)), $"$({name})");

    private static string Expand(XDocument project, string text)
        => Regex.Replace(text, @"\$\((\w+)\)", match => Expand(project, project.Descendants(match.Groups[1].Value).Single().Value));

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "SslMLNet.sln")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"The repository was not found above {AppContext.BaseDirectory}.");
    }
}
