using Ssl.Estimators.Encoders;
using Ssl.Estimators.Rows;
using Ssl.Estimators.Serialization;

namespace Ssl.Estimators.Persistence;

/// <summary>Reads encoder models from archives.</summary>
internal static class EncoderModelReader
{
    /// <summary>Reads a model from the current position of a stream to its end; the stream need not seek.</summary>
    /// <param name="stream">The archive.</param>
    /// <returns>The model, on the CPU.</returns>
    /// <exception cref="FormatException">The content is no encoder archive, is damaged, or comes from a newer version.</exception>
    public static EncoderModel Read(Stream stream)
    {
        var (manifest, tensors) = ModelArchive.Open(stream);
        using var limit = Initialization.Limit(tensors.ValueCount);
        return Read(manifest, tensors);
    }

    /// <summary>Reads a model from an archive whose manifest was read already.</summary>
    public static EncoderModel Read(ArchiveManifest manifest, SafeTensorsReader tensors)
    {
        try
        {
            var model = EncoderModel.Create(manifest.Kind, manifest.Content, tensors.ReadInto) ?? throw new FormatException(
                $"The archive holds a model of kind '{manifest.Kind}', which this version ({ModelArchive.ProductVersion}) cannot " +
                $"read as an encoder; it knows {string.Join(", ", RowFormat.KnownKinds.Select(k => $"'{k}'"))}. Update the package; a "
                + "kind of column of your own must be announced with RowFormat.Register before it is loaded.");
            tensors.EnsureAllRead();
            if (Checksums.OfFile(tensors.Metadata) is { } checksum)
                model.Id = checksum;
            return model;
        }
        catch (Exception e) when (ModelArchive.IsContentFault(e))
        {
            throw new FormatException($"The archive's manifest does not describe a model of kind '{manifest.Kind}': {JsonReading.Reason(e)}", e);
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
