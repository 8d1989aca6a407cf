using System.Text.Json.Nodes;
using Microsoft.ML;
using Ssl.Estimators.Diagnostics;
using Ssl.Estimators.Interop;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Downstream;

/// <summary>The search in an index file as a stage.</summary>
/// <param name="index">The index.</param>
/// <param name="settings">Column names and the number of neighbors.</param>
/// <param name="search">Null for the index's own.</param>
/// <param name="probes">Of an approximate search.</param>
/// <param name="ownsIndex">Whether it closes the index.</param>
internal sealed class IndexLookup<TId>(NeighborIndex<TId> index, NeighborSettings settings, NeighborSearch? search, int probes, bool ownsIndex)
    : NeighborLookup<TId>(settings, index.Dimension) where TId : notnull
{
    public override Lifetime Lifetime => index.Lifetime;

    protected override IReadOnlyList<Neighbor<TId>>[] Search(Span<float> vectors, int count, int length)
        => index.Find(vectors, count, Settings.NumberOfNeighbors, search, probes);

    public override void Free()
    {
        if (ownsIndex)
            index.Dispose();
    }

    // The file stays where it is: copied into every model it would be as many indices, each of its own age.
    public override void Save(ModelSaveContext context) => ModelFiles.Save(context, stream =>
    {
        var content = Settings.ToJson();
        content[IndexLookup.PathKey] = index.FilePath;
        content[IndexLookup.KindKey] = index.Ids.Kind;
        content[IndexLookup.ProbesKey] = probes;
        if (search is { } mode)
            content[IndexLookup.SearchKey] = mode.ToString();
        ModelArchive.Write(stream, IndexLookup.ArchiveKind, content, []);
    });
}

/// <summary>What a model file has of such a stage.</summary>
internal static class IndexLookup
{
    /// <summary>The kind of archive.</summary>
    public const string ArchiveKind = "neighbor-index-lookup";

    /// <summary>The names in its manifest.</summary>
    public const string PathKey = "index_path", KindKey = "id_kind", ProbesKey = "probes", SearchKey = "search";

    /// <summary>Reads one, and opens its index file to be read.</summary>
    /// <exception cref="FormatException">The archive or the index file is damaged.</exception>
    /// <exception cref="IOException">The index file is not where it was, or open for writing.</exception>
    public static NeighborLookupTransformer Read(MLContext mlContext, ArchiveManifest manifest, SafeTensorsReader tensors)
        => new(VectorArchive.Read(manifest, tensors, ArchiveKind, (content, _) =>
        {
            var kind = content[KindKey]!.GetValue<int>();
            return kind == IndexIds.Of<long>().Kind ? Open<long>(mlContext, content) : (NeighborLookup)Open<string>(mlContext, content);
        }));

    private static IndexLookup<TId> Open<TId>(MLContext mlContext, JsonObject content) where TId : notnull
    {
        var settings = NeighborSettings.FromJson(content);
        NeighborSearch? search = content[SearchKey] is { } mode ? Enum.Parse<NeighborSearch>(mode.GetValue<string>()) : null;
        var path = content.Name(PathKey);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"The model searches the index file '{path}', which is not there: a model file does not hold its index. Put the file "
                + "there, or leave the stage out of the model and append one on an index opened elsewhere.", path);
        }
        var index = NeighborIndex<TId>.Open(mlContext, path, readOnly: true);
        return new IndexLookup<TId>(index, settings, search, Math.Max(1, content[ProbesKey]!.GetValue<int>()), ownsIndex: true);
    }
}
