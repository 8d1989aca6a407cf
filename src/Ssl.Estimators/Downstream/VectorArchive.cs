using System.Text.Json.Nodes;
using Ssl.Estimators.Persistence;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Downstream;

/// <summary>What the archives of stages without an encoder share.</summary>
internal static class VectorArchive
{
    /// <summary>Reads an archive of a kind.</summary>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="tensors">Its tensors.</param>
    /// <param name="kind">The kind that is expected.</param>
    /// <param name="create">Makes the content of manifest and tensors; the tensors are disposed of afterwards.</param>
    /// <exception cref="FormatException">The archive holds something else or is damaged.</exception>
    public static T Read<T>(ArchiveManifest manifest, SafeTensorsReader tensors, string kind,
        Func<JsonObject, IReadOnlyDictionary<string, Tensor>, T> create)
    {
        if (manifest.Kind != kind)
            throw new FormatException($"The archive holds a model of kind '{manifest.Kind}', expected '{kind}'.");

        using var scope = NewDisposeScope();
        var all = tensors.ReadAll();
        try
        {
            return create(manifest.Content, all);
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The saved '{kind}' is damaged: {JsonReading.Reason(e)}", e);
        }
        finally
        {
            foreach (var tensor in all.Values)
                tensor.Dispose();
        }
    }
}
