using System.IO.Compression;
using System.Text.Json.Nodes;

namespace SearchService.Tests;

/// <summary>Model files that say something else of themselves.</summary>
internal static class Manifests
{
    public static void Change(string path, Action<JsonNode> change)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Update);
        var entry = zip.GetEntry("manifest.json")!;
        JsonNode manifest;
        using (var stream = entry.Open())
            manifest = JsonNode.Parse(stream)!;
        change(manifest);
        entry.Delete();
        using var writer = new StreamWriter(zip.CreateEntry("manifest.json").Open());
        writer.Write(manifest.ToJsonString());
    }
}
