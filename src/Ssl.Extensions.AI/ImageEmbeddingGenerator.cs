using System.Runtime.InteropServices;
using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using Ssl.Estimators;
using Ssl.Estimators.Data;

namespace Ssl.Extensions.AI;

/// <summary>Embeds images: the bytes of their files.</summary>
internal sealed class ImageEmbeddingGenerator(EncoderTransformer encoder, string? modelId, bool ownsEncoder,
    string name = TextEmbeddingGenerator.Given)
    : EncoderEmbeddingGenerator<DataContent>(encoder, Refusal(encoder, name), modelId, ownsEncoder)
{
    // The parameter of GenerateAsync that the sentences are about.
    private const string Values = "values";

    // A media type that says nothing of the content.
    private const string AnyBytes = "application/octet-stream";

    protected override IReadOnlyList<float[]> Embed(IEnumerable<DataContent> inputs, out long? tokens)
    {
        tokens = null;
        return Encoder.Embed(Images(inputs));
    }

    // One image at a time is in memory: decoded, a photo takes 50 MB.
    private static IEnumerable<MLImage> Images(IEnumerable<DataContent> inputs)
    {
        foreach (var (number, content) in inputs.Index())
        {
            using var image = Decode(content, number);
            yield return image;
        }
    }

    private static MLImage Decode(DataContent content, int number)
    {
        if (!content.HasTopLevelMediaType("image") && content.MediaType != AnyBytes)
        {
            throw new ArgumentException($"{Named(content, number)} is no image but '{content.MediaType}': give the bytes of a PNG, JPEG, WebP, BMP or "
                + "GIF file, with a media type such as image/png.", Values);
        }
        try
        {
            var data = content.Data;
            if (ImageEnd.IsMissing(data.Span))
                throw Unreadable("its bytes end before the image does", null);
            using var stream = MemoryMarshal.TryGetArray(data, out var bytes)
                ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false) : new MemoryStream(data.ToArray(), writable: false);
            return MLImage.CreateFromStream(stream);
        }
        // The decoder's own words name a parameter of its own.
        catch (Exception fault) when (fault is FormatException or ArgumentException { ParamName: not Values })
        {
            throw Unreadable("its bytes are not those of an image that can be decoded", fault);
        }

        ArgumentException Unreadable(string why, Exception? inner) => new($"{Named(content, number)} cannot be read: {why}. Repair it or leave it "
            + "out; PNG, JPEG, WebP, BMP and GIF files are decoded.", Values, inner);
    }

    private static string Named(DataContent content, int number)
        => string.IsNullOrEmpty(content.Name) ? $"Image {number}" : $"Image {number} ('{content.Name}')";

    private static string? Refusal(EncoderTransformer encoder, string name) => encoder.RefusalOfImages(name) is { } refusal
        ? $"{refusal} Text encoders: {nameof(EncoderTransformerExtensions.AsIEmbeddingGenerator)}, AddSslEmbeddingGenerator." : null;
}
