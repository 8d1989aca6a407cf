using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML;

namespace SearchService.Models;

/// <summary>
/// The one file that a model is: a zip of a chain as <c>mlContext.Model.Save</c> writes it (encoder, search and, with labels, a classifier), the
/// catalog's rows and a manifest. One file is put in place by one rename, and no half of it meets the half of another one.
/// </summary>
public static class ModelFile
{
    private const int FormatVersion = 1;
    private const string ChainEntry = "chain.zip";
    private const string CatalogEntry = "catalog.json";
    private const string ManifestEntry = "manifest.json";

    /// <summary>Writes a model beside its place and renames it, so that a service never sees a part of it.</summary>
    /// <param name="path">The file; an existing one is replaced.</param>
    /// <param name="mlContext">The context of the chain.</param>
    /// <param name="chain">Encoder, search, and what classifies.</param>
    /// <param name="inputSchema">The schema of what the chain reads.</param>
    /// <param name="catalog">The rows that are searched.</param>
    /// <param name="trainedOn">What it learned from, in words.</param>
    /// <param name="probe">A question and what this model answers.</param>
    public static void Write(string path, MLContext mlContext, ITransformer chain, DataViewSchema inputSchema, IReadOnlyList<CatalogRow> catalog,
        string trainedOn, Probe probe)
    {
        using var chainBytes = new MemoryStream();
        mlContext.Model.Save(chain, inputSchema, chainBytes);
        Dictionary<string, byte[]> entries = new()
        {
            [ChainEntry] = chainBytes.ToArray(),
            [CatalogEntry] = JsonSerializer.SerializeToUtf8Bytes(catalog, ModelJson.Default.IReadOnlyListCatalogRow),
        };
        var manifest = new Manifest(FormatVersion, DateTimeOffset.UtcNow, trainedOn, probe, entries.ToDictionary(entry => entry.Key, entry => Hash(entry.Value)));
        entries[ManifestEntry] = JsonSerializer.SerializeToUtf8Bytes(manifest, ModelJson.Default.Manifest);

        var full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var beside = $"{full}.{Guid.NewGuid():N}.new";
        try
        {
            using (var file = File.Create(beside))
            using (var zip = new ZipArchive(file, ZipArchiveMode.Create))
            {
                foreach (var (name, bytes) in entries)
                {
                    // Weights do not shrink.
                    using var entry = zip.CreateEntry(name, name == ChainEntry ? CompressionLevel.NoCompression : CompressionLevel.Optimal).Open();
                    entry.Write(bytes);
                }
            }
            File.Move(beside, full, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    /// <summary>Reads a model and asks it its probe: what this returns has answered as it did when it was trained.</summary>
    /// <param name="path">The file.</param>
    /// <param name="notice">Takes the warnings of ML.NET.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="FormatException">It is no model, is cut off or damaged, or answers something else than when it was trained.</exception>
    public static ServedModel Load(string path, Action<string> notice)
    {
        // In memory before anything of it is looked at: what is hashed is what is loaded, whoever writes to the file meanwhile.
        var bytes = File.ReadAllBytes(path);
        var version = Hash(bytes)[..12];
        ServedModel? model = null;
        try
        {
            using var zip = new ZipArchive(new MemoryStream(bytes, writable: false));
            var manifest = JsonSerializer.Deserialize(Entry(zip, ManifestEntry, null), ModelJson.Default.Manifest)
                ?? throw new FormatException("Its manifest is empty.");
            if (manifest.Format != FormatVersion)
                throw new FormatException($"It has format {manifest.Format}, and this service reads format {FormatVersion}: train it with the service's own command.");
            var catalog = JsonSerializer.Deserialize(Entry(zip, CatalogEntry, manifest), ModelJson.Default.IReadOnlyListCatalogRow) ?? [];

            // A context of its own: nothing of an earlier model stays behind in it.
            var mlContext = new MLContext();
            mlContext.Log += (_, line) =>
            {
                if (line.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                    notice(line.RawMessage);
            };
            var chain = mlContext.Model.Load(new MemoryStream(Entry(zip, ChainEntry, manifest), writable: false), out _);
            model = new ServedModel(mlContext, chain, catalog, version, manifest);
            model.CheckProbe(manifest.Probe);
            return model;
        }
        catch (Exception fault) when (fault is not (IOException or OutOfMemoryException))
        {
            model?.Release();
            throw new FormatException($"'{path}' is no model that can be served. {fault.Message}", fault);
        }
        catch
        {
            model?.Release();
            throw;
        }
    }

    private static byte[] Entry(ZipArchive zip, string name, Manifest? manifest)
    {
        var entry = zip.GetEntry(name) ?? throw new FormatException($"It has no {name}.");
        using var bytes = new MemoryStream();
        using (var stream = entry.Open())
            stream.CopyTo(bytes);
        var content = bytes.ToArray();
        if (manifest is not null && (!manifest.Files.TryGetValue(name, out var hash) || hash != Hash(content)))
            throw new FormatException($"Its {name} is another one than its manifest says: the file is damaged.");
        return content;
    }

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

/// <summary>What a model file says of itself.</summary>
/// <param name="Format">The form of the file.</param>
/// <param name="Created">When it was trained.</param>
/// <param name="TrainedOn">What it learned from, in words.</param>
/// <param name="Probe">What it must answer before it is served.</param>
/// <param name="Files">The SHA-256 of the other entries.</param>
public sealed record Manifest(int Format, DateTimeOffset Created, string TrainedOn, Probe Probe, IReadOnlyDictionary<string, string> Files);

/// <summary>A question and what the model answered when it was trained.</summary>
/// <param name="Text">The question.</param>
/// <param name="Embedding">Its embedding.</param>
public sealed record Probe(string Text, float[] Embedding);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(IReadOnlyList<CatalogRow>))]
internal sealed partial class ModelJson : JsonSerializerContext;
