namespace Ssl.MLNet.Tests;

/// <summary>The packages, packed from what these tests were built from, in a folder of their own outside the repository.</summary>
internal sealed class PackageFeed : IDisposable
{
    private static readonly string[] s_projects = ["Ssl.Estimators", "Ssl.MLNet", "Ssl.Extensions.AI", "Ssl.Extensions.VectorData", "Ssl.MLNet.Interactive", "Ssl.MLNet.Onnx"];

    /// <summary>Packs them.</summary>
    /// <param name="projects">Which, by their names; none: all.</param>
    public PackageFeed(params string[] projects)
    {
        Folder = Directory.CreateTempSubdirectory("ssl-feed-").FullName;
        foreach (var project in projects is [] ? s_projects : projects)
        {
            CommandLine.Dotnet(Repository.Root, new Dictionary<string, string>(), "pack", Path.Combine("src", project), "--no-build",
                "-c", Repository.Configuration, "-o", Folder, "--nologo");
        }
    }

    /// <summary>The folder with the packages.</summary>
    public string Folder { get; }

    /// <summary>The one package of that name; "nupkg" or "snupkg".</summary>
    public string Package(string name, string extension = "nupkg")
        => Path.Combine(Folder, $"{name}.{Repository.Property("Directory.Build.props", "VersionPrefix")}.{extension}");

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
