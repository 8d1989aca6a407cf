using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Ssl.Estimators.Serialization;
using static TorchSharp.torch;

namespace Ssl.Estimators.Persistence;

/// <summary>Makes encoder models from archives: every modality registers how its models are read.</summary>
/// <remarks>
/// Registration happens in module initializers, so that a process which only references the pack and loads a model finds them:
/// <c>[ModuleInitializer] internal static void Register() => EncoderModelReader.Register("text", TextEncoderModel.Create);</c>
/// </remarks>
internal static class EncoderModelReader
{
    private static readonly ConcurrentDictionary<string, Func<JsonObject, Action<IReadOnlyDictionary<string, Tensor>>, EncoderModel>>
        s_readers = new();

    /// <summary>
    /// Registers the reader of a modality. It makes the network from what <see cref="EncoderModel.Describe"/> gave, has its weights filled
    /// by the second argument, which takes them by their names in the network, and leaves it on the CPU.
    /// </summary>
    public static void Register(string modality, Func<JsonObject, Action<IReadOnlyDictionary<string, Tensor>>, EncoderModel> create)
        => s_readers[modality] = create;

    /// <summary>A model of a description, on the CPU; null where nobody registered the modality.</summary>
    /// <param name="modality">Its kind of input.</param>
    /// <param name="description">What <see cref="EncoderModel.Describe"/> gave.</param>
    /// <param name="fill">Fills the network's weights.</param>
    public static EncoderModel? Create(string modality, JsonObject description, Action<IReadOnlyDictionary<string, Tensor>> fill)
        => s_readers.TryGetValue(modality, out var create) ? create(description, fill) : null;

    /// <summary>Reads a model from the current position of a stream to its end; the stream need not seek.</summary>
    /// <param name="stream">The archive.</param>
    /// <returns>The model, on the CPU.</returns>
    /// <exception cref="FormatException">The content is no encoder archive, is damaged, or comes from a newer version.</exception>
    public static EncoderModel Read(Stream stream)
    {
        var (manifest, tensors) = ModelArchive.Open(stream);
        return Read(manifest, tensors);
    }

    /// <summary>Reads a model from an archive whose manifest was read already.</summary>
    public static EncoderModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
    {
        try
        {
            var model = Create(manifest.Kind, manifest.Content, tensors.ReadInto) ?? throw new FormatException(
                $"The archive holds a model of kind '{manifest.Kind}', which this version ({ModelArchive.ProductVersion}) cannot " +
                $"read as an encoder; it knows {string.Join(", ", s_readers.Keys.Order().Select(k => $"'{k}'"))}. Update the package.");
            tensors.EnsureAllRead();
            if (Checksums.OfFile(tensors.Metadata) is { } checksum)
                model.Id = checksum;
            return model;
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The archive's manifest does not describe a model of kind '{manifest.Kind}': {e.Message}", e);
        }
        catch (ExternalException e)
        {
            throw new FormatException("A network of the sizes in the archive's manifest cannot be made: the archive is damaged, or this "
                + $"machine has too little memory ({e.Message.Split('\n')[0].TrimEnd('.')}).", e);
        }
    }

    /// <summary>Reads a model from a file.</summary>
    /// <exception cref="FormatException">The file is no encoder archive, is truncated, or comes from a newer version.</exception>
    public static EncoderModel ReadFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        try
        {
            return Read(stream);
        }
        catch (FormatException e)
        {
            throw new FormatException($"Cannot read an encoder from '{path}'. {e.Message}", e);
        }
    }
}
