using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Persistence;

/// <summary>What an archive says of itself beside the weights.</summary>
/// <param name="Kind">What kind of model it holds: the modality of an encoder, or the name of another fitted component.</param>
/// <param name="FormatVersion">Version of the archive format.</param>
/// <param name="ProductVersion">Version of the package that wrote it; for people, decides nothing.</param>
/// <param name="Content">Everything that the model needs beside its weights: encoder description, columns, tokenizer, facts of
/// training.</param>
internal sealed record ArchiveManifest(string Kind, int FormatVersion, string ProductVersion, JsonObject Content);

/// <summary>
/// The file form of a fitted model: one safetensors file whose metadata hold a JSON manifest, so that any safetensors reader can open the
/// weights.
/// </summary>
internal static class ModelArchive
{
    /// <summary>The version written; archives up to this one are read.</summary>
    public const int FormatVersion = 2;

    // Archives of version 1 have no checksums.
    private const int FirstWithChecksums = 2;

    private const string MarkKey = "ssl.format", KindKey = "ssl.kind", VersionKey = "ssl.format_version";
    private const string ProductKey = "ssl.product_version", ManifestKey = "ssl.manifest", Mark = "SslMLNet model archive";

    /// <summary>Version of this package.</summary>
    public static string ProductVersion { get; } =
        typeof(ModelArchive).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? "unknown";

    /// <summary>
    /// Writes manifest and weights. The tensors may live on any device; nothing is copied but what has to come from there.
    /// </summary>
    public static void Write(Stream stream, string kind, JsonObject content, IReadOnlyCollection<KeyValuePair<string, Tensor>> tensors) =>
        SafeTensors.Write(stream, tensors, new Dictionary<string, string>
        {
            [MarkKey] = Mark,
            [KindKey] = kind,
            [VersionKey] = FormatVersion.ToString(CultureInfo.InvariantCulture),
            [ProductKey] = ProductVersion,
            [ManifestKey] = ExactText.ToJson(content),
        }, checksums: true);

    /// <summary>Whether an exception means that JSON lacks something or has it in another type.</summary>
    public static bool IsContentFault(Exception e) =>
        e is JsonException or KeyNotFoundException or InvalidOperationException or NullReferenceException or ArgumentException
            or InvalidCastException or OverflowException or IndexOutOfRangeException;

    /// <summary>Reads the manifest and stops before the weights, which the caller takes from the reader.</summary>
    /// <exception cref="FormatException">No archive, damaged, or written by a newer version.</exception>
    public static (ArchiveManifest Manifest, SafeTensorsReader Tensors) Open(Stream stream)
    {
        var tensors = SafeTensorsReader.Open(stream);
        var metadata = tensors.Metadata;
        if (metadata.GetValueOrDefault(MarkKey) != Mark)
        {
            throw new FormatException("The file holds tensors but no model of this package (its metadata lack the mark). " +
                "Models are written by SaveEncoder or mlContext.Model.Save.");
        }

        if (!int.TryParse(metadata.GetValueOrDefault(VersionKey), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            || version < 1)
        {
            throw new FormatException($"The archive's format version is '{metadata.GetValueOrDefault(VersionKey)}', " +
                $"expected a number from 1 to {FormatVersion}.");
        }

        var product = metadata.GetValueOrDefault(ProductKey) ?? "unknown";
        if (version > FormatVersion)
        {
            throw new FormatException(
                $"The archive was written by version {product} in format {version}; this version ({ProductVersion}) reads formats " +
                $"up to {FormatVersion}. Update the package.");
        }

        if (version >= FirstWithChecksums && !tensors.HasChecksums)
            throw new FormatException("The archive is damaged: it lacks its checksums. Copy or write it again.");

        try
        {
            var content = ExactText.Parse(metadata[ManifestKey])!.AsObject();
            return (new ArchiveManifest(metadata[KindKey], version, product, content), tensors);
        }
        catch (Exception e) when (IsContentFault(e))
        {
            throw new FormatException($"The archive's manifest cannot be read: {JsonReading.Reason(e)}", e);
        }
    }
}
