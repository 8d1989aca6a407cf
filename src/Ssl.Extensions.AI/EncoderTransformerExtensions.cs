using Microsoft.Extensions.AI;
using Ssl.Estimators;

namespace Ssl.Extensions.AI;

/// <summary>Fitted and loaded encoders as embedding generators of Microsoft.Extensions.AI.</summary>
/// <remarks>
/// <para>A generator computes on this machine, off the calling thread, the numbers that <see cref="EncoderTransformer.Transform"/> gives, and may be
/// asked by any number of threads at once. Cancellation ends it between two batches of 256 inputs.</para>
/// <para>Of <see cref="EmbeddingGenerationOptions"/> it refuses other <c>Dimensions</c> than the encoder's, and another <c>ModelId</c> than its
/// own, with <see cref="ArgumentOutOfRangeException"/>; where it has no model ID, results bear the one that is asked for. <c>GetService</c> gives
/// <see cref="EmbeddingGeneratorMetadata"/> (provider "ssl.mlnet", model ID, dimensions), the <see cref="EncoderTransformer"/> and the
/// generator.</para>
/// <para>The encoder stays the caller's: disposing of the generator leaves it as it is. Dispose of it when no generator is asked any more; one that is
/// asked afterwards throws <see cref="ObjectDisposedException"/>.</para>
/// </remarks>
public static class EncoderTransformerExtensions
{
    /// <summary>An encoder of texts as a generator of their embeddings.</summary>
    /// <param name="encoder">An encoder that was fitted or loaded, of one column of texts; stays the caller's.</param>
    /// <param name="modelId">Name of the model in results and telemetry; null for none.</param>
    /// <returns>
    /// Gives <see cref="EncoderTransformer.EmbeddingDimension"/> numbers for each text, empty ones, too. Usage counts the tokens that were
    /// embedded, without special ones and without those that were cut off.
    /// </returns>
    /// <exception cref="ArgumentException">It is an encoder of something else.</exception>
    public static IEmbeddingGenerator<string, Embedding<float>> AsIEmbeddingGenerator(this EncoderTransformer encoder, string? modelId = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return new TextEmbeddingGenerator(encoder, modelId, ownsEncoder: false);
    }

    /// <summary>An encoder of images as a generator of their embeddings.</summary>
    /// <param name="encoder">An encoder that was fitted or loaded, of one column of images of 1, 3 or 4 channels; stays the caller's.</param>
    /// <param name="modelId">Name of the model in results and telemetry; null for none.</param>
    /// <returns>
    /// Gives <see cref="EncoderTransformer.EmbeddingDimension"/> numbers for each image: the bytes of a PNG, JPEG, WebP, BMP or GIF file, of any
    /// size. One that is no image, damaged or cut off is named by its number, from 0, in an <see cref="ArgumentException"/>. There is no usage:
    /// images have no tokens.
    /// </returns>
    /// <exception cref="ArgumentException">It is an encoder of something else.</exception>
    public static IEmbeddingGenerator<DataContent, Embedding<float>> AsIImageEmbeddingGenerator(this EncoderTransformer encoder,
        string? modelId = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return new ImageEmbeddingGenerator(encoder, modelId, ownsEncoder: false);
    }
}
