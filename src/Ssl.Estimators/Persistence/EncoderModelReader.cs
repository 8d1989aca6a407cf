using System.Collections.Concurrent;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Persistence;

/// <summary>Makes encoder models from archives: every modality registers how its models are read.</summary>
/// <remarks>
/// Registration happens in module initializers, so that a process which only references the pack and loads a model finds them:
/// <c>[ModuleInitializer] internal static void Register() => EncoderModelReader.Register("text", TextEncoderModel.Read);</c>
/// </remarks>
internal static class EncoderModelReader
{
    private static readonly ConcurrentDictionary<string, Func<ArchiveManifest, SafeTensorsReader, EncoderModel>> s_readers = new();

    /// <summary>
    /// Registers the reader of a modality. It makes the network from the manifest, fills it with <see cref="SafeTensorsReader.ReadInto"/>
    /// and leaves it on the CPU.
    /// </summary>
    public static void Register(string modality, Func<ArchiveManifest, SafeTensorsReader, EncoderModel> read) => s_readers[modality] = read;

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
        if (!s_readers.TryGetValue(manifest.Kind, out var read))
        {
            throw new FormatException(
                $"The archive holds a model of kind '{manifest.Kind}', which this version ({ModelArchive.ProductVersion}) cannot " +
                $"read as an encoder; it knows {string.Join(", ", s_readers.Keys.Order().Select(k => $"'{k}'"))}. Update the package.");
        }

        try
        {
            var model = read(manifest, tensors);
            tensors.EnsureAllRead();
            return model;
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The archive's manifest does not describe a model of kind '{manifest.Kind}': {e.Message}", e);
        }
    }

    /// <summary>Reads a model from a file.</summary>
    /// <exception cref="FormatException">The file is no encoder archive, is truncated, or comes from a newer version.</exception>
    public static EncoderModel ReadFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        using var hashing = new HashingStream(stream);
        try
        {
            var model = Read(hashing);
            model.Id = Convert.ToHexStringLower(hashing.GetHash());
            return model;
        }
        catch (FormatException e)
        {
            throw new FormatException($"Cannot read an encoder from '{path}'. {e.Message}", e);
        }
    }
}
