namespace Ssl.MLNet.Tests;

/// <summary>The folder that these tests were built in.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>"Debug" or "Release": what these tests were built as.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "SslMLNet.sln")))
                return folder.FullName;
        throw new DirectoryNotFoundException($"The repository was not found above {AppContext.BaseDirectory}.");
    }
}
