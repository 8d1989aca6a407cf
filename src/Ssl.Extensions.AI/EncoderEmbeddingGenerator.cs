using Microsoft.Extensions.AI;
using Ssl.Estimators;

namespace Ssl.Extensions.AI;

/// <summary>
/// An encoder as a generator of embeddings: what those of texts and of images have in common. Any number of threads may ask at once.
/// </summary>
/// <typeparam name="TInput">What is embedded.</typeparam>
internal abstract class EncoderEmbeddingGenerator<TInput> : IEmbeddingGenerator<TInput, Embedding<float>> where TInput : class
{
    private const string ProviderName = "ssl.mlnet";

    private readonly bool _ownsEncoder;
    private readonly EmbeddingGeneratorMetadata _metadata;

    /// <param name="encoder">Embeds.</param>
    /// <param name="refusal">Why it cannot embed such inputs; null where it can.</param>
    /// <param name="modelId">Its name in results and telemetry; may be null.</param>
    /// <param name="ownsEncoder">Whether disposing of the generator disposes of the encoder; then also where this constructor throws.</param>
    protected EncoderEmbeddingGenerator(EncoderTransformer encoder, string? refusal, string? modelId, bool ownsEncoder)
    {
        if (refusal is not null)
        {
            if (ownsEncoder)
                encoder.Dispose();
            throw new ArgumentException(refusal, nameof(encoder));
        }
        (Encoder, _ownsEncoder) = (encoder, ownsEncoder);
        _metadata = new EmbeddingGeneratorMetadata(ProviderName, providerUri: null, modelId, encoder.EmbeddingDimension);
    }

    /// <summary>What embeds.</summary>
    protected EncoderTransformer Encoder { get; }

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<TInput> values, EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        CheckDimensions(options);
        var modelId = ModelId(options);
        // The caller's sequence is read on the caller's thread; only the computing leaves it.
        TInput[] inputs = [.. values];
        var missing = Array.IndexOf(inputs, null);
        if (missing >= 0)
            throw new ArgumentException($"Value {missing} is null: leave it out.", nameof(values));
        return await Task.Run(() => Generate(inputs, modelId, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(EncoderTransformer) ? Encoder
            : serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose()
    {
        if (_ownsEncoder)
            Encoder.Dispose();
    }

    /// <summary>Embeds.</summary>
    /// <param name="inputs">What to embed, none of it null. Read one by one, as it is computed.</param>
    /// <param name="tokens">Tokens that were embedded; null where there are none.</param>
    /// <returns>One embedding each, in their order.</returns>
    protected abstract IReadOnlyList<float[]> Embed(IEnumerable<TInput> inputs, out long? tokens);

    private GeneratedEmbeddings<Embedding<float>> Generate(TInput[] inputs, string? modelId, CancellationToken cancellationToken)
    {
        var embeddings = Embed(UntilCanceled(), out var tokens);
        var created = DateTimeOffset.UtcNow;
        return new(embeddings.Select(embedding => new Embedding<float>(embedding) { CreatedAt = created, ModelId = modelId }))
        {
            Usage = tokens is null ? null : new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };

        // An encoder reads what it embeds as it goes on, so this ends it between two batches.
        IEnumerable<TInput> UntilCanceled()
        {
            foreach (var input in inputs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return input;
            }
        }
    }

    private void CheckDimensions(EmbeddingGenerationOptions? options)
    {
        if (options?.Dimensions is { } dimensions && dimensions != Encoder.EmbeddingDimension)
        {
            throw new ArgumentOutOfRangeException(nameof(options), dimensions, $"Dimensions must be {Encoder.EmbeddingDimension}, the length of this "
                + $"encoder's embeddings, or null; got {dimensions}. An embedding cannot be cut: pretrain an encoder of that dimension.");
        }
    }

    // One encoder is behind it: under another name somebody expects other numbers.
    private string? ModelId(EmbeddingGenerationOptions? options)
    {
        var (asked, own) = (options?.ModelId, _metadata.DefaultModelId);
        return asked is null || own is null || asked == own ? asked ?? own : throw new ArgumentOutOfRangeException(nameof(options), asked,
            $"ModelId must be '{own}' or null, got '{asked}': this generator has one encoder. Register one generator for each model, under keys.");
    }
}
